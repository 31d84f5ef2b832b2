/** Which service answers a request, and how the request gets there. */
@NullMarked
package io.mirante.gateway.routing;

import org.jspecify.annotations.NullMarked;
