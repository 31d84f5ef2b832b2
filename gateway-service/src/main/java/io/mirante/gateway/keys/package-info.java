/** Keys: found by their hash, turned into a signed token that services trust. */
@NullMarked
package io.mirante.gateway.keys;

import org.jspecify.annotations.NullMarked;
