/** State of every service, from a cache that is refreshed each second. */
@NullMarked
package io.mirante.gateway.health;

import org.jspecify.annotations.NullMarked;
