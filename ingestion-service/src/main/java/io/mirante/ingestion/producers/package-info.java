/** Outside producers that write to Kafka directly: a topic per tenant, the same checks as every other way in. */
@NullMarked
package io.mirante.ingestion.producers;

import org.jspecify.annotations.NullMarked;
