/**
 * Machines: telemetry, twins, OEE. Telemetry is applied exactly once by position; a twin is published by revision.
 * Blocking happens on the binder's threads alone.
 */
@NullMarked
package io.mirante.industry40;

import org.jspecify.annotations.NullMarked;
