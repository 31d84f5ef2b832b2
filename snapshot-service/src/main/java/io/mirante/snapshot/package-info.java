/**
 * snapshot-service: counts and sums by window, questions about behaviour, and the live feed.
 *
 * <p>Delivery: one consumer of {@code mirante.events.clean} stores windows, behaviour and position in one transaction, so
 * every event is counted once. The live feed reads without a group and stores nothing.
 *
 * <p>Threads: the binder's for the consumer, one per topic for the live feed, Reactor's for requests.
 */
@NullMarked
package io.mirante.snapshot;

import org.jspecify.annotations.NullMarked;
