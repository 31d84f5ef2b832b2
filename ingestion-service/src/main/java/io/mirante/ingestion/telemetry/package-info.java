/** Readings of machines over HTTP. */
@NullMarked
package io.mirante.ingestion.telemetry;

import org.jspecify.annotations.NullMarked;
