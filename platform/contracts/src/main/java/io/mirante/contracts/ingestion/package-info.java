/** Messages that ingestion-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.ingestion;

import org.jspecify.annotations.NullMarked;
