/** Messages that industry40-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.industry40;

import org.jspecify.annotations.NullMarked;
