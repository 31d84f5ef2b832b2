package io.mirante.industry40.telemetry;

import io.mirante.contracts.events.TelemetryReading;

/** A reading and whose it is. */
record TenantReading(String tenant, TelemetryReading reading) {}
