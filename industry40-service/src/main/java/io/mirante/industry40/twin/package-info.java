/** A device's state as it reports it and as it is wanted, over REST and on mirante.telemetry.state. */
@NullMarked
package io.mirante.industry40.twin;

import org.jspecify.annotations.NullMarked;
