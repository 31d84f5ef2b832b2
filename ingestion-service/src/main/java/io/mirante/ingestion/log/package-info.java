/** Hands records to Kafka and says, for each, whether Kafka has stored it. */
@NullMarked
package io.mirante.ingestion.log;

import org.jspecify.annotations.NullMarked;
