package io.mirante.ingestion.rejected;

import io.mirante.contracts.Json;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.r2dbc.spi.Readable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** The store of rejected events; a rejection is stored once, by its id. Thread-safe. */
@Component
final class RejectedEvents {

    private static final TypeReference<List<RejectedEvent.Fault>> FAULTS = new TypeReference<>() {};
    private static final Instant END_OF_TIME = Instant.parse("9999-12-31T00:00:00Z");

    private final TenantDatabase tenants;

    RejectedEvents(TenantDatabase tenants) {
        this.tenants = tenants;
    }

    /** Stores rejections of any tenants, those already there excepted. */
    static Mono<Void> insert(List<RejectedEvent> rejected, DatabaseClient stream) {
        int n = rejected.size();
        var tenant = new String[n];
        var id = new String[n];
        var eventId = new String[n];
        var eventType = new String[n];
        var reason = new String[n];
        var errors = new String[n];
        var source = new String[n];
        var at = new Instant[n];
        var original = new String[n];
        for (int i = 0; i < n; i++) {
            var event = rejected.get(i);
            tenant[i] = event.tenantId();
            id[i] = event.rejectionId();
            eventId[i] = event.eventId();
            eventType[i] = event.eventType();
            reason[i] = event.reason();
            errors[i] = Json.mapper().writeValueAsString(event.errors());
            source[i] = event.source();
            at[i] = event.rejectedAt();
            original[i] = event.original();
        }
        return stream.sql(
                        """
                        INSERT INTO rejected_event (tenant_id, rejection_id, event_id, event_type, reason, errors,
                            source, rejected_at, original)
                        SELECT t, i, e, y, r, x::jsonb, s, a, convert_to(o, 'UTF8')
                        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                            $7::text[], $8::timestamptz[], $9::text[]) AS u (t, i, e, y, r, x, s, a, o)
                        ON CONFLICT (tenant_id, rejection_id) DO NOTHING
                        """)
                .bind(0, tenant)
                .bind(1, id)
                .bind(2, eventId)
                .bind(3, eventType)
                .bind(4, reason)
                .bind(5, errors)
                .bind(6, source)
                .bind(7, at)
                .bind(8, original)
                .then();
    }

    /**
     * A tenant's rejected events, newest first.
     *
     * @param reason wire name, or null for all
     * @param eventType as the client named it, or null for all
     */
    Mono<Page<RejectedEvent>> list(
            String tenant, @Nullable String reason, @Nullable String eventType, Paging paging) {
        var after = Position.of(paging.after());
        return tenants.many(
                        tenant,
                        db ->
                                db.sql(
                                                """
                                                SELECT rejection_id, tenant_id, event_id, event_type, reason,
                                                    errors::text, source, rejected_at, original
                                                FROM rejected_event
                                                WHERE tenant_id = $1 AND ($2 = '' OR reason = $2)
                                                    AND ($3 = '' OR event_type = $3)
                                                    AND (rejected_at, rejection_id) < ($4, $5)
                                                ORDER BY rejected_at DESC, rejection_id DESC
                                                LIMIT $6
                                                """)
                                        .bind(0, tenant)
                                        .bind(1, Objects.requireNonNullElse(reason, ""))
                                        .bind(2, Objects.requireNonNullElse(eventType, ""))
                                        .bind(3, after.at())
                                        .bind(4, after.id())
                                        .bind(5, paging.limit() + 1)
                                        .map(RejectedEvents::read)
                                        .all())
                .collectList()
                .map(rows ->
                        Page.of(
                                rows,
                                paging.limit(),
                                last ->
                                        new Position(last.rejectedAt(), last.rejectionId())
                                                .text()));
    }

    /** Where a page ends. */
    private record Position(Instant at, String id) {

        static Position of(@Nullable String after) {
            if (after == null) {
                return new Position(END_OF_TIME, "");
            }
            int split = after.indexOf(' ');
            try {
                return new Position(
                        Instant.parse(after.substring(0, Math.max(0, split))),
                        after.substring(split + 1));
            } catch (DateTimeException e) {
                throw ProblemException.malformed(
                        "?cursor",
                        "invalid",
                        "cursor must be the next_cursor of an earlier answer");
            }
        }

        String text() {
            return at + " " + id;
        }
    }

    private static RejectedEvent read(Readable row) {
        return new RejectedEvent(
                text(row, 0),
                text(row, 1),
                row.get(2, String.class),
                row.get(3, String.class),
                text(row, 4),
                Json.mapper().readValue(text(row, 5), FAULTS),
                text(row, 6),
                Objects.requireNonNull(row.get(7, Instant.class)),
                StandardCharsets.UTF_8
                        .decode(Objects.requireNonNull(row.get(8, ByteBuffer.class)))
                        .toString());
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
