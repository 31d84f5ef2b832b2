/** Connections that a tenant names the host of: only to public addresses, or to hosts that the installation lets through. */
@NullMarked
package io.mirante.platform.outbound;

import org.jspecify.annotations.NullMarked;
