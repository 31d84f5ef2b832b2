/** {@code ./mesh bench token}: what a signed token costs per request, with the starter's cache and without. */
@NullMarked
package io.mirante.bench.token;

import org.jspecify.annotations.NullMarked;
