/** Counts and sums by tenant, scope, dimensions and hour or day, published as they change. */
@NullMarked
package io.mirante.snapshot.windows;

import org.jspecify.annotations.NullMarked;
