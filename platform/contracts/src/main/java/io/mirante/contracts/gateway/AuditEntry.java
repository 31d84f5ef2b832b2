package io.mirante.contracts.gateway;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Who did what, when; never the payload. On {@code mirante.audit}, key tenant, from every service.
 *
 * @param auditId unique; a second copy is stored once
 * @param tenantId whose data it was
 * @param kind {@code query}, {@code change} or {@code administration}
 * @param subject id of the key or person
 * @param service short name of the service that did it
 * @param action for an administrative act its name, such as {@code key.created}; else method and route
 * @param target what it was done to: an id, or the path as called, without the query string
 * @param detail names of what changed, never values; null when there is nothing to add
 * @param status HTTP status of the answer
 * @param requestId the request's id, as in the logs
 */
public record AuditEntry(
        String auditId,
        String tenantId,
        Instant at,
        String kind,
        String subject,
        String service,
        String action,
        String target,
        @Nullable String detail,
        int status,
        String requestId) {

    /** The same about something else. */
    public AuditEntry withTarget(String other) {
        return new AuditEntry(
                auditId, tenantId, at, kind, subject, service, action, other, detail, status,
                requestId);
    }

    /** A read. */
    public static final String QUERY = "query";

    /** A call that may change something. */
    public static final String CHANGE = "change";

    /** An act on tenants, keys or people. */
    public static final String ADMINISTRATION = "administration";
}
