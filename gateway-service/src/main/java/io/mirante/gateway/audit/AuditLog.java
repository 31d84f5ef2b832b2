package io.mirante.gateway.audit;

import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.gateway.Rows;
import io.mirante.platform.audit.AuditFilter;
import io.mirante.platform.audit.AuditTrail;
import io.mirante.platform.erasure.Erasures;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.persistence.CrossTenant;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.RequestIds;
import io.r2dbc.spi.Readable;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** The store of audit entries. Thread-safe. */
@Component
public final class AuditLog {

    private static final String COLUMNS =
            "tenant_id, audit_id, at, kind, subject, service, action, target, detail, status, request_id";
    private static final String NEW =
            "INSERT INTO audit_entry (" + COLUMNS + ", published_revision) ";

    /** Stands in a path where an erased person's id stood. */
    public static final String ERASED = "erased";

    private final Clock clock;

    AuditLog(Clock clock) {
        this.clock = clock;
    }

    /**
     * Writes an administrative act in the transaction that does it, so that neither is there without the other; it is
     * published from the table.
     *
     * @param db the act's transaction, of the tenant acted upon
     * @param action such as {@code key.created}
     * @param target an id
     * @param detail names of what changed, never values
     */
    public Mono<Void> act(
            DatabaseClient db,
            String tenant,
            Caller caller,
            ServerWebExchange exchange,
            HttpStatus status,
            String action,
            String target,
            @Nullable String detail) {
        exchange.getAttributes().put(AuditFilter.RECORDED, true);
        return insert(
                db,
                List.of(
                        new AuditEntry(
                                UUID.randomUUID().toString(),
                                tenant,
                                clock.instant(),
                                AuditEntry.ADMINISTRATION,
                                caller.subject(),
                                "gateway",
                                action,
                                target,
                                detail,
                                status.value(),
                                RequestIds.of(exchange))),
                0);
    }

    /** What to look for; null = any. Times: start included, end not. */
    record Filter(
            @Nullable String subject,
            @Nullable String service,
            @Nullable String kind,
            @Nullable String action,
            @Nullable String target,
            @Nullable Instant start,
            @Nullable Instant end) {}

    /** Newest first, after the cursor {@code time/audit_id}. */
    static Mono<List<AuditEntry>> find(
            DatabaseClient db, String tenant, Filter filter, @Nullable Cursor after, int limit) {
        var sql =
                db.sql(
                                "SELECT "
                                        + COLUMNS
                                        + " FROM audit_entry WHERE tenant_id = $1"
                                        + " AND ($2::text IS NULL OR subject = $2)"
                                        + " AND ($3::text IS NULL OR service = $3)"
                                        + " AND ($4::text IS NULL OR kind = $4)"
                                        + " AND ($5::text IS NULL OR action = $5)"
                                        + " AND ($6::text IS NULL OR target = $6)"
                                        + " AND ($7::timestamptz IS NULL OR at >= $7)"
                                        + " AND ($8::timestamptz IS NULL OR at < $8)"
                                        + " AND ($9::timestamptz IS NULL OR (at, audit_id) < ($9, $10))"
                                        + " ORDER BY at DESC, audit_id DESC LIMIT $11")
                        .bind(0, tenant);
        sql = bind(sql, 1, filter.subject(), String.class);
        sql = bind(sql, 2, filter.service(), String.class);
        sql = bind(sql, 3, filter.kind(), String.class);
        sql = bind(sql, 4, filter.action(), String.class);
        sql = bind(sql, 5, filter.target(), String.class);
        sql = bind(sql, 6, filter.start(), Instant.class);
        sql = bind(sql, 7, filter.end(), Instant.class);
        sql = bind(sql, 8, after == null ? null : after.at(), Instant.class);
        return sql.bind(9, after == null ? "" : after.auditId())
                .bind(10, limit)
                .map(AuditLog::read)
                .all()
                .collectList();
    }

    /** Where a page ended. */
    record Cursor(Instant at, String auditId) {}

    private static <T> DatabaseClient.GenericExecuteSpec bind(
            DatabaseClient.GenericExecuteSpec sql, int index, @Nullable T value, Class<T> type) {
        return value == null ? sql.bindNull(index, type) : sql.bind(index, value);
    }

    private static Mono<Void> store(
            List<Received<AuditEntry>> fresh, Erasures erasures, DatabaseClient db) {
        var byKey = new TreeMap<String, AuditEntry>();
        fresh.forEach(r ->
                byKey.put(
                        r.value().tenantId() + "\n" + r.value().auditId(),
                        withoutErased(r.value(), erasures)));
        return insert(db, List.copyOf(byKey.values()), 1);
    }

    /** The entry without the ids of erased persons in the path that was called. */
    private static AuditEntry withoutErased(AuditEntry entry, Erasures erasures) {
        if (!entry.target().startsWith("/")) {
            return entry;
        }
        var kept = new StringJoiner("/");
        for (var part : entry.target().split("/", -1)) {
            kept.add(
                    erasures.covers(entry.tenantId(), decoded(part), 0, entry.at())
                            ? ERASED
                            : part);
        }
        return kept.toString().equals(entry.target()) ? entry : entry.withTarget(kept.toString());
    }

    private static String decoded(String part) {
        try {
            return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return part;
        }
    }

    private static Mono<Void> insert(DatabaseClient db, List<AuditEntry> entries, long published) {
        return db.sql(
                        NEW
                                + "SELECT u.*, $12::bigint FROM UNNEST($1::text[], $2::text[], $3::timestamptz[],"
                                + " $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],"
                                + " $10::int[], $11::text[]) AS u ON CONFLICT (tenant_id, audit_id) DO NOTHING")
                .bind(0, texts(entries, AuditEntry::tenantId))
                .bind(1, texts(entries, AuditEntry::auditId))
                .bind(2, entries.stream().map(AuditEntry::at).toArray(Instant[]::new))
                .bind(3, texts(entries, AuditEntry::kind))
                .bind(4, texts(entries, AuditEntry::subject))
                .bind(5, texts(entries, AuditEntry::service))
                .bind(6, texts(entries, AuditEntry::action))
                .bind(7, texts(entries, AuditEntry::target))
                .bind(8, entries.stream().map(AuditEntry::detail).toArray(String[]::new))
                .bind(9, entries.stream().map(AuditEntry::status).toArray(Integer[]::new))
                .bind(10, texts(entries, AuditEntry::requestId))
                .bind(11, published)
                .then();
    }

    private static String[] texts(List<AuditEntry> entries, Function<AuditEntry, String> field) {
        return entries.stream().map(field).toArray(String[]::new);
    }

    private static AuditEntry read(Readable row) {
        return new AuditEntry(
                Rows.text(row, "audit_id"),
                Rows.text(row, "tenant_id"),
                Rows.value(row, "at", Instant.class),
                Rows.text(row, "kind"),
                Rows.text(row, "subject"),
                Rows.text(row, "service"),
                Rows.text(row, "action"),
                Rows.text(row, "target"),
                row.get("detail", String.class),
                Rows.value(row, "status", Integer.class),
                Rows.text(row, "request_id"));
    }

    /** Where entries come in, and own ones go out. */
    @Configuration(proxyBeanMethods = false)
    static class Binding {

        private static final Parser<AuditEntry> JSON = Parser.json(AuditEntry.class);

        @Bean
        Consumer<Message<List<byte[]>>> storeAudit(BatchRunner runner, Erasures erasures) {
            return runner.storing(
                    "storeAudit",
                    Binding::parse,
                    (fresh, db) -> AuditLog.store(fresh, erasures, db));
        }

        @Bean
        Publication auditPublication() {
            return new Publication(
                    "audit_entry",
                    List.of("tenant_id", "audit_id"),
                    "SELECT "
                            + COLUMNS
                            + ", revision FROM audit_entry WHERE revision > published_revision ORDER BY tenant_id, audit_id LIMIT 1000",
                    row -> AuditTrail.outgoing(read(row)),
                    Publication.Retelling.NEVER);
        }

        @SuppressWarnings("ConstantConditions") // Jackson leaves null where a field is missing
        private static AuditEntry parse(byte[] value, Headers headers) throws PoisonException {
            var entry = JSON.parse(value, headers);
            if (entry.tenantId() == null
                    || entry.auditId() == null
                    || entry.at() == null
                    || entry.kind() == null
                    || entry.subject() == null
                    || entry.service() == null
                    || entry.action() == null
                    || entry.target() == null
                    || entry.requestId() == null) {
                throw new PoisonException(
                        "missing_field", "an audit entry needs every field but detail");
            }
            if (value.length > 16_384
                    || new String(value, java.nio.charset.StandardCharsets.UTF_8)
                            .contains("\\u0000")) {
                throw new PoisonException("bad_text", "an audit entry has text no store can hold");
            }
            return entry;
        }
    }

    /** Removes what is older than the installation keeps. */
    @Component
    @EnableScheduling
    @CrossTenant("age alone decides, for all tenants at once")
    static final class CleanUp {

        private static final Logger LOG = LoggerFactory.getLogger(CleanUp.class);
        private static final Duration LIMIT = Duration.ofMinutes(5);

        private final StreamDatabase database;
        private final Clock clock;
        private final Duration kept;

        CleanUp(
                StreamDatabase database,
                Clock clock,
                @Value("${mirante.gateway.audit.kept:400d}") Duration kept) {
            this.database = database;
            this.clock = clock;
            this.kept = kept;
        }

        @Scheduled(initialDelayString = "PT5M", fixedDelayString = "PT6H")
        void run() {
            try {
                remove().block(LIMIT);
            } catch (RuntimeException e) {
                LOG.warn("old audit entries cannot be removed now: {}", e.getMessage());
            }
        }

        Mono<Long> remove() {
            return database.client()
                    .sql("DELETE FROM audit_entry WHERE at < $1 AND published_revision >= revision")
                    .bind(0, clock.instant().minus(kept))
                    .fetch()
                    .rowsUpdated()
                    .doOnNext(rows -> {
                        if (rows > 0) {
                            LOG.info("removed {} audit entries older than {}", rows, kept);
                        }
                    });
        }
    }
}
