/** The live feed over WebSocket: events, changed windows and alerts as they happen; drops rather than lags. */
@NullMarked
package io.mirante.snapshot.live;

import org.jspecify.annotations.NullMarked;
