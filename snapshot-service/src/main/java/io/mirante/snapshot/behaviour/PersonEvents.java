package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.TimeRange;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** One person's events and sessions, by all numbers the person has. Thread-safe. */
@Component
final class PersonEvents {

    /** Times are put into words by PostgreSQL to the microsecond, so that a cursor finds its row again. */
    private static final String EVENTS =
            "SELECT event_id, event_type, occurred_at, received_at, session_id, user_id, anonymous_id, country,"
                    + " device, data::text FROM behaviour_event WHERE person_no = ANY($1) AND occurred_at >="
                    + " $2::timestamptz AND occurred_at < $3::timestamptz AND ($4 = '' OR event_type = $4) AND"
                    + " (occurred_at, event_id) < ($5::timestamptz, $6) ORDER BY occurred_at DESC, event_id DESC LIMIT"
                    + " $7";

    /** A session's number within those without an id rises when 30 minutes have passed without such an event. */
    private static final String SESSIONS =
            "WITH e AS (SELECT session_id, event_id, event_type, occurred_at, CASE WHEN session_id IS NULL AND"
                    + " occurred_at - lag(occurred_at) OVER (PARTITION BY session_id IS NULL ORDER BY occurred_at,"
                    + " event_id) < interval '30 minutes' THEN 0 ELSE 1 END AS begins FROM behaviour_event WHERE"
                    + " person_no = ANY($1) AND occurred_at >= $2::timestamptz AND occurred_at < $3::timestamptz), n AS"
                    + " (SELECT *, CASE WHEN session_id IS NULL THEN sum(begins) OVER (PARTITION BY session_id IS NULL"
                    + " ORDER BY occurred_at, event_id) ELSE 0 END AS number FROM e), s AS (SELECT session_id,"
                    + " min(occurred_at) AS started_at, max(occurred_at) AS ended_at, count(*) AS events, count(*)"
                    + " FILTER (WHERE event_type = 'page_view') AS page_views, (array_agg(event_id ORDER BY"
                    + " occurred_at, event_id))[1] AS first_event FROM n GROUP BY session_id, number) SELECT * FROM s"
                    + " WHERE (started_at, first_event) < ($4::timestamptz, $5) ORDER BY started_at DESC, first_event"
                    + " DESC LIMIT $6";

    private final TenantDatabase database;

    PersonEvents(TenantDatabase database) {
        this.database = database;
    }

    record Event(
            String eventId,
            String eventType,
            Instant timestamp,
            Instant receivedAt,
            @Nullable String sessionId,
            @Nullable String userId,
            @Nullable String anonymousId,
            @Nullable String country,
            @Nullable String device,
            JsonNode data) {}

    /**
     * A session.
     *
     * @param sessionId the client's; null when it was found by its gaps
     * @param firstEventId names it where it has no id
     */
    record Session(
            @Nullable String sessionId,
            Instant startedAt,
            Instant endedAt,
            double durationSeconds,
            long events,
            long pageViews,
            String firstEventId) {}

    /** The item before the first one wanted, in an order that runs back in time. */
    record Place(Instant at, String eventId) {}

    /** Newest first. */
    Mono<List<Event>> events(
            String tenant,
            List<Long> person,
            TimeRange range,
            String eventType,
            Optional<Place> after,
            int limit) {
        return database.one(
                tenant,
                db ->
                        within(db.sql(EVENTS), person, range)
                                .bind(3, eventType)
                                .bind(4, after.map(p -> p.at().toString()).orElse("infinity"))
                                .bind(5, after.map(Place::eventId).orElse(""))
                                .bind(6, limit)
                                .map(PersonEvents::event)
                                .all()
                                .collectList());
    }

    /** Newest first; a session is cut at the range's ends. */
    Mono<List<Session>> sessions(
            String tenant, List<Long> person, TimeRange range, Optional<Place> after, int limit) {
        return database.one(
                tenant,
                db ->
                        within(db.sql(SESSIONS), person, range)
                                .bind(3, after.map(p -> p.at().toString()).orElse("infinity"))
                                .bind(4, after.map(Place::eventId).orElse(""))
                                .bind(5, limit)
                                .map(PersonEvents::session)
                                .all()
                                .collectList());
    }

    private static DatabaseClient.GenericExecuteSpec within(
            DatabaseClient.GenericExecuteSpec spec, List<Long> person, TimeRange range) {
        return spec.bind(0, person.toArray(Long[]::new))
                .bind(1, range.start().toString())
                .bind(2, range.end().toString());
    }

    private static Event event(Readable row) {
        return new Event(
                Objects.requireNonNull(row.get("event_id", String.class)),
                Objects.requireNonNull(row.get("event_type", String.class)),
                Objects.requireNonNull(row.get("occurred_at", Instant.class)),
                Objects.requireNonNull(row.get("received_at", Instant.class)),
                row.get("session_id", String.class),
                row.get("user_id", String.class),
                row.get("anonymous_id", String.class),
                row.get("country", String.class),
                row.get("device", String.class),
                Json.mapper().readTree(Objects.requireNonNull(row.get("data", String.class))));
    }

    private static Session session(Readable row) {
        var start = Objects.requireNonNull(row.get("started_at", Instant.class));
        var end = Objects.requireNonNull(row.get("ended_at", Instant.class));
        return new Session(
                row.get("session_id", String.class),
                start,
                end,
                java.time.Duration.between(start, end).toNanos() / 1e9,
                Objects.requireNonNull(row.get("events", Long.class)),
                Objects.requireNonNull(row.get("page_views", Long.class)),
                Objects.requireNonNull(row.get("first_event", String.class)));
    }
}
