/** Problems that the gateway itself answers, as RFC 9457 bodies. */
@NullMarked
package io.mirante.gateway.problem;

import org.jspecify.annotations.NullMarked;
