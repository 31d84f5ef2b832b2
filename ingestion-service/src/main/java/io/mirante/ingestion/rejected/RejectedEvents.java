package io.mirante.ingestion.rejected;

import io.mirante.contracts.Json;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.platform.keys.Seal;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.r2dbc.spi.Readable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** The store of rejected events; a rejection is stored once, by its id, its original encrypted. Thread-safe. */
@Component
public final class RejectedEvents {

    private static final TypeReference<List<RejectedEvent.Fault>> FAULTS = new TypeReference<>() {};
    private static final Instant BEGIN_OF_TIME = Instant.EPOCH;
    private static final Instant END_OF_TIME = Instant.parse("9999-12-31T00:00:00Z");

    private final TenantDatabase tenants;
    private final Seal seal;

    RejectedEvents(TenantDatabase tenants, Seal seal) {
        this.tenants = tenants;
        this.seal = seal;
    }

    /** Stores rejections of any tenants, those already there excepted. */
    Mono<Void> insert(List<RejectedEvent> rejected, DatabaseClient stream) {
        int n = rejected.size();
        var tenant = new String[n];
        var id = new String[n];
        var eventId = new @Nullable String[n];
        var eventType = new @Nullable String[n];
        var reason = new String[n];
        var errors = new String[n];
        var source = new String[n];
        var at = new Instant[n];
        var sealed = new String[n];
        var truncated = new Boolean[n];
        var form = new @Nullable String[n];
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
            sealed[i] = sealed(event);
            truncated[i] = event.truncated();
            form[i] = event.form();
        }
        return stream.sql(
                        """
                        INSERT INTO rejected_event (tenant_id, rejection_id, event_id, event_type, reason, errors,
                            source, rejected_at, original, sealed, truncated, form)
                        SELECT t, i, e, y, r, x::jsonb, s, a, decode(o, 'base64'), true, c, f
                        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                            $7::text[], $8::timestamptz[], $9::text[], $10::boolean[], $11::text[])
                            AS u (t, i, e, y, r, x, s, a, o, c, f)
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
                .bind(8, sealed)
                .bind(9, truncated)
                .bind(10, form)
                .then();
    }

    private String sealed(RejectedEvent event) {
        var sealed = event.sealed();
        if (sealed != null) {
            return sealed;
        }
        var bytes =
                Objects.requireNonNullElse(event.original(), "").getBytes(StandardCharsets.UTF_8);
        return Base64.getEncoder()
                .encodeToString(
                        seal.close(event.tenantId(), event.rejectionId(), bytes, 0, bytes.length));
    }

    /** A tenant's rejected events, newest first. */
    public Mono<Page<Rejected>> list(String tenant, Selection selection, Paging paging) {
        var after = Position.of(paging.after());
        return tenants.many(
                        tenant,
                        db ->
                                bound(db, tenant, selection, after, paging.limit() + 1)
                                        .map(row -> read(tenant, row))
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

    private static DatabaseClient.GenericExecuteSpec bound(
            DatabaseClient db, String tenant, Selection selection, Position after, int limit) {
        return db.sql(
                        """
                        SELECT rejection_id, event_id, event_type, reason, errors::text, source, rejected_at,
                            original, sealed, truncated, replayed_at, form
                        FROM rejected_event
                        WHERE tenant_id = $1 AND ($2 = '' OR reason = $2) AND ($3 = '' OR event_type = $3)
                            AND ($4 = '' OR event_id = $4) AND ($5 = '' OR source = $5)
                            AND rejected_at >= $6 AND rejected_at < $7
                            AND (cardinality($8::text[]) = 0 OR rejection_id = ANY($8))
                            AND (NOT $9 OR replayed_at IS NULL)
                            AND (rejected_at, rejection_id) < ($10, $11)
                        ORDER BY rejected_at DESC, rejection_id DESC
                        LIMIT $12
                        """)
                .bind(0, tenant)
                .bind(1, Objects.requireNonNullElse(selection.reason(), ""))
                .bind(2, Objects.requireNonNullElse(selection.eventType(), ""))
                .bind(3, Objects.requireNonNullElse(selection.eventId(), ""))
                .bind(4, Objects.requireNonNullElse(selection.source(), ""))
                .bind(5, Objects.requireNonNullElse(selection.from(), BEGIN_OF_TIME))
                .bind(6, Objects.requireNonNullElse(selection.to(), END_OF_TIME))
                .bind(7, selection.ids().toArray(String[]::new))
                .bind(8, selection.open())
                .bind(9, after.at())
                .bind(10, after.id())
                .bind(11, limit);
    }

    /** Remembers that these were sent again. */
    public Mono<Long> markReplayed(String tenant, List<String> rejectionIds) {
        return tenants.one(
                tenant,
                db ->
                        db.sql(
                                        "UPDATE rejected_event SET replayed_at = now() WHERE tenant_id = $1 AND"
                                                + " rejection_id = ANY($2)")
                                .bind(0, tenant)
                                .bind(1, rejectionIds.toArray(String[]::new))
                                .fetch()
                                .rowsUpdated());
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

    private Rejected read(String tenant, Readable row) {
        var id = text(row, 0);
        var stored = Objects.requireNonNull(row.get(7, ByteBuffer.class));
        var bytes = new byte[stored.remaining()];
        stored.get(bytes);
        boolean sealed = Boolean.TRUE.equals(row.get(8, Boolean.class));
        return new Rejected(
                id,
                row.get(1, String.class),
                row.get(2, String.class),
                text(row, 3),
                Json.mapper().readValue(text(row, 4), FAULTS),
                text(row, 5),
                Objects.requireNonNull(row.get(6, Instant.class)),
                sealed ? seal.open(tenant, id, bytes) : bytes,
                row.get(11, String.class),
                Boolean.TRUE.equals(row.get(9, Boolean.class)),
                row.get(10, Instant.class));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
