package io.mirante.alert.webhook;

import io.mirante.contracts.Json;
import io.mirante.contracts.alert.AlertChanged;
import io.mirante.platform.persistence.TenantDatabase;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Messages to recipients: due, under way, ended. Thread-safe. */
@Component
public final class Deliveries {

    /** The type every message carries, whatever the alert's state. */
    public static final String TYPE = "analytics.alert.triggered";

    /** How long an attempt may take before another replica may begin the next. */
    static final Duration LEASE = Duration.ofSeconds(60);

    private static final int MAX_ANSWER = 300;

    private final TenantDatabase tenants;

    Deliveries(TenantDatabase tenants) {
        this.tenants = tenants;
    }

    /**
     * A delivery as an operator sees it.
     *
     * @param status {@code pending}, {@code delivered}, {@code failed} (given up) or {@code cancelled}
     * @param lastAnswer what the receiver answered last, or why it did not
     */
    public record Report(
            String id,
            String url,
            long revision,
            String status,
            int attempts,
            @Nullable String lastAnswer,
            @Nullable Instant nextAttemptAt,
            @Nullable Instant endedAt) {}

    /** Writes a message to each recipient of the owner, within the transaction of the change it tells about. */
    public Mono<Void> enqueue(String owner, AlertChanged change, Instant now, DatabaseClient db) {
        var message = new LinkedHashMap<String, Object>();
        message.put("type", TYPE);
        message.put("timestamp", now);
        message.put("data", change);
        return db.sql(
                        "INSERT INTO delivery (tenant_id, delivery_id, alert_id, revision, recipient_id, payload,"
                                + " next_attempt_at, created_at) SELECT $1, 'msg_' || gen_random_uuid(), $2, $3,"
                                + " recipient_id, $4, $5, $5 FROM recipient WHERE owner_id = $6 AND removed_at IS NULL"
                                + " AND disabled_reason IS NULL")
                .bind(0, change.tenantId())
                .bind(1, change.alertId())
                .bind(2, change.revision())
                .bind(3, Json.mapper().writeValueAsString(message))
                .bind(4, now)
                .bind(5, owner)
                .then();
    }

    /** The alert's deliveries, oldest change first. */
    public Mono<List<Report>> of(String alertId, DatabaseClient db) {
        return db.sql(
                        "SELECT d.delivery_id, r.url, d.revision, d.status, d.attempts, d.last_answer, CASE d.status WHEN"
                                + " 'pending' THEN d.next_attempt_at END, d.ended_at FROM delivery d JOIN recipient r"
                                + " USING (tenant_id, recipient_id) WHERE d.alert_id = $1 ORDER BY d.revision,"
                                + " d.recipient_id")
                .bind(0, alertId)
                .map(row ->
                        new Report(
                                text(row, 0),
                                text(row, 1),
                                Objects.requireNonNull(row.get(2, Long.class)),
                                text(row, 3),
                                Objects.requireNonNull(row.get(4, Integer.class)),
                                row.get(5, String.class),
                                row.get(6, Instant.class),
                                row.get(7, Instant.class)))
                .all()
                .collectList();
    }

    /**
     * Takes deliveries that are due, at most one per recipient, the changes of one alert in their order, and begins an
     * attempt of each. An attempt whose end is never recorded is repeated when its lease runs out.
     *
     * @param busy recipients that have an attempt under way here
     */
    Mono<List<Delivery>> take(String tenant, Collection<String> busy, int limit, Instant now) {
        return tenants.many(
                        tenant,
                        db ->
                                db.sql(
                                                "WITH due AS (SELECT DISTINCT ON (d.recipient_id) d.delivery_id FROM delivery d"
                                                        + " WHERE d.status = 'pending' AND d.next_attempt_at <= $1 AND NOT"
                                                        + " d.recipient_id = ANY($2) AND NOT EXISTS (SELECT FROM delivery e WHERE"
                                                        + " e.alert_id = d.alert_id AND e.recipient_id = d.recipient_id AND"
                                                        + " e.revision < d.revision AND e.status = 'pending') ORDER BY"
                                                        + " d.recipient_id, d.next_attempt_at LIMIT $3) UPDATE delivery d SET"
                                                        + " attempts = d.attempts + 1, next_attempt_at = $4 FROM due, recipient r"
                                                        + " WHERE d.delivery_id = due.delivery_id AND r.recipient_id ="
                                                        + " d.recipient_id AND d.status = 'pending' AND d.next_attempt_at <= $1"
                                                        + " RETURNING d.delivery_id, d.recipient_id, r.url, r.secret, d.payload,"
                                                        + " d.attempts, d.created_at")
                                        .bind(0, now)
                                        .bind(1, busy.toArray(String[]::new))
                                        .bind(2, limit)
                                        .bind(3, now.plus(LEASE))
                                        .map(row ->
                                                new Delivery(
                                                        text(row, 0),
                                                        text(row, 1),
                                                        text(row, 2),
                                                        text(row, 3),
                                                        text(row, 4),
                                                        Objects.requireNonNull(
                                                                row.get(5, Integer.class)),
                                                        Objects.requireNonNull(
                                                                row.get(6, Instant.class))))
                                        .all())
                .collectList();
    }

    /**
     * Records how an attempt ended.
     *
     * @param retryAt when a failed one is tried again
     */
    Mono<Void> end(
            String tenant, Delivery delivery, Outcome outcome, Instant now, Instant retryAt) {
        return tenants.one(
                tenant,
                db ->
                        switch (outcome) {
                            case Outcome.Delivered done ->
                                    ended(delivery, "delivered", done.answer(), now, db);
                            case Outcome.Gone gone ->
                                    ended(delivery, "failed", gone.answer(), now, db)
                                            .then(disable(delivery, gone.answer(), now, db));
                            case Outcome.Failed failed ->
                                    delivery.isTooOld(now)
                                            ? ended(delivery, "failed", failed.answer(), now, db)
                                            : retry(delivery, failed.answer(), retryAt, db);
                        });
    }

    private static Mono<Void> ended(
            Delivery delivery, String status, String answer, Instant now, DatabaseClient db) {
        return db.sql(
                        "UPDATE delivery SET status = $2, last_answer = $3, ended_at = $4 WHERE delivery_id = $1 AND"
                                + " status = 'pending'")
                .bind(0, delivery.id())
                .bind(1, status)
                .bind(2, cut(answer))
                .bind(3, now)
                .then();
    }

    private static Mono<Void> disable(
            Delivery delivery, String answer, Instant now, DatabaseClient db) {
        return db.sql("UPDATE recipient SET disabled_reason = $2 WHERE recipient_id = $1")
                .bind(0, delivery.recipientId())
                .bind(1, cut(answer))
                .then()
                .then(
                        db.sql(
                                        "UPDATE delivery SET status = 'cancelled', last_answer = $2, ended_at = $3 WHERE"
                                                + " recipient_id = $1 AND status = 'pending'")
                                .bind(0, delivery.recipientId())
                                .bind(1, cut(answer))
                                .bind(2, now)
                                .then());
    }

    /** Only of the attempt that failed: a later one may be under way. */
    private static Mono<Void> retry(
            Delivery delivery, String answer, Instant retryAt, DatabaseClient db) {
        return db.sql(
                        "UPDATE delivery SET last_answer = $2, next_attempt_at = $3 WHERE delivery_id = $1 AND status ="
                                + " 'pending' AND attempts = $4")
                .bind(0, delivery.id())
                .bind(1, cut(answer))
                .bind(2, retryAt)
                .bind(3, delivery.attempts())
                .then();
    }

    /** Deletes the deliveries of alerts that are gone. */
    public Mono<Long> deleteEndedBefore(Instant time, DatabaseClient db) {
        return db.sql("DELETE FROM delivery WHERE ended_at < $1")
                .bind(0, time)
                .fetch()
                .rowsUpdated();
    }

    private static String cut(String answer) {
        var text = answer.replace('\0', ' ');
        return text.length() <= MAX_ANSWER ? text : text.substring(0, MAX_ANSWER);
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
