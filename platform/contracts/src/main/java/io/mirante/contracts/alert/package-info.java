/** Messages that alert-service owns and publishes. Immutable records; they validate when made. */
@NullMarked
package io.mirante.contracts.alert;

import org.jspecify.annotations.NullMarked;
