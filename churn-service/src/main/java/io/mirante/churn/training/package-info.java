/** Trains a model on a training set of etl's: a job that asks, waits, downloads, fits, judges and stores. */
@NullMarked
package io.mirante.churn.training;

import org.jspecify.annotations.NullMarked;
