/** Stores what devices measure and keeps each device's newest values. */
@NullMarked
package io.mirante.industry40.telemetry;

import org.jspecify.annotations.NullMarked;
