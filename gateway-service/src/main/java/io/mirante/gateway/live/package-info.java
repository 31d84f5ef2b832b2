/** WebSockets through the gateway: a key may come as the first message, and a key that ends takes its sockets along. */
@NullMarked
package io.mirante.gateway.live;

import org.jspecify.annotations.NullMarked;
