package io.mirante.contracts.snapshot;

import java.time.Instant;

/**
 * How far the lake's files hold a tenant's events. On {@code mirante.lake}, key tenant; the newest record counts.
 *
 * @param coveredUntil every event accepted before is in a file of the lake's manifest
 */
public record LakeCovered(String tenantId, Instant coveredUntil, long revision) {

    /** Of records of it. */
    public static final String TYPE = "lake_covered";
}
