/** Messages that snapshot-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.snapshot;

import org.jspecify.annotations.NullMarked;
