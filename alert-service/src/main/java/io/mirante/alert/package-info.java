/**
 * Rules on metrics, the state of each alert, and its delivery to webhooks.
 *
 * <p>Each event is counted once, in the transaction that advances the consumer's position. A state change, its
 * revision and its deliveries are one transaction; webhooks get it at least once, with the same id.
 *
 * <p>Threads: the consumer on the binder's thread; one thread evaluates, one cleans, one hands out deliveries, and each
 * delivery has a virtual thread.
 */
@NullMarked
package io.mirante.alert;

import org.jspecify.annotations.NullMarked;
