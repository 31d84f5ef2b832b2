/** Messages that churn-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.churn;

import org.jspecify.annotations.NullMarked;
