/**
 * The catalogue of operational metrics: what one event adds to which figure. snapshot-service sums it by window,
 * alert-service compares it with thresholds; both ask here, so that an alert and a report never disagree. Pure functions.
 */
@NullMarked
package io.mirante.contracts.metrics;

import org.jspecify.annotations.NullMarked;
