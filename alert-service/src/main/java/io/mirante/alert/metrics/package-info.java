/**
 * What events add to each metric, per minute of their own time. Counted once: the sums are written in the transaction
 * that advances the consumer's position.
 */
@NullMarked
package io.mirante.alert.metrics;

import org.jspecify.annotations.NullMarked;
