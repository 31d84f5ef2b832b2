package io.mirante.gateway.audit;

import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.gateway.keys.Reach;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.QueryTimes;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code GET /api/v1/admin/audit}. */
@RestController
class AuditController {

    private final TenantDatabase database;

    AuditController(TenantDatabase database) {
        this.database = database;
    }

    @GetMapping("/api/v1/admin/audit")
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Who did what, newest first",
            description =
                    "Administrative acts at once, calls of the services within seconds. Filters compare exactly;"
                            + " start_time is included, end_time is not.")
    Mono<Page<AuditEntry>> list(
            Caller caller,
            Paging paging,
            @RequestParam(name = "tenant_id", required = false) @Nullable String tenant,
            @RequestParam(required = false) @Nullable String subject,
            @RequestParam(required = false) @Nullable String service,
            @RequestParam(required = false) @Nullable String kind,
            @RequestParam(required = false) @Nullable String action,
            @RequestParam(required = false) @Nullable String target,
            @RequestParam(name = "start_time", required = false) @Nullable String start,
            @RequestParam(name = "end_time", required = false) @Nullable String end) {
        var whose = Reach.tenant(caller, tenant);
        var filter =
                new AuditLog.Filter(
                        subject,
                        service,
                        kind,
                        action,
                        target,
                        QueryTimes.of("start_time", start),
                        QueryTimes.of("end_time", end));
        var after = cursor(paging.after());
        return database.one(
                        whose, db -> AuditLog.find(db, whose, filter, after, paging.limit() + 1))
                .map(rows ->
                        Page.of(rows, paging.limit(), last -> last.at() + "/" + last.auditId()));
    }

    private static AuditLog.@Nullable Cursor cursor(@Nullable String after) {
        if (after == null) {
            return null;
        }
        int slash = after.indexOf('/');
        try {
            return new AuditLog.Cursor(
                    Instant.parse(after.substring(0, Math.max(0, slash))),
                    after.substring(slash + 1));
        } catch (DateTimeParseException e) {
            throw ProblemException.malformed(
                    "?cursor", "invalid", "cursor must be the next_cursor of an earlier answer");
        }
    }
}
