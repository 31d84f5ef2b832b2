/**
 * What an event is: the known types with their JSON Schemas and golden samples, the one validator that serves every way
 * in, and the canonical form that goes to Kafka. Nothing here does I/O after class loading; all of it is thread-safe.
 */
@NullMarked
package io.mirante.contracts.events;

import org.jspecify.annotations.NullMarked;
