/** Messages that etl-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.etl;

import org.jspecify.annotations.NullMarked;
