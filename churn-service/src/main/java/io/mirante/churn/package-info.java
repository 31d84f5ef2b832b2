/**
 * How likely a customer is to leave, and why.
 *
 * <p>Scores each user whenever their features change: the score is part of the transaction that advances the consumer's
 * position, so a redelivered poll changes nothing, and it is published by revision (at least once, same content).
 *
 * <p>Threads: consumers on the binder's thread; training and rescoring are jobs on virtual threads; requests score on
 * the elastic scheduler, never on an event loop.
 */
@NullMarked
package io.mirante.churn;

import org.jspecify.annotations.NullMarked;
