/** Messages that segmentation-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.segmentation;

import org.jspecify.annotations.NullMarked;
