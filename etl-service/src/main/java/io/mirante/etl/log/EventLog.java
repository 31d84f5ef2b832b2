package io.mirante.etl.log;

import io.mirante.contracts.Json;
import io.mirante.etl.log.SortedPoll.Sorted;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The event log: one row per event that counts. Thread-safe. */
@Component
final class EventLog {

    /** Events as columns, all but their persons' numbers. */
    record Rows(
            List<Sorted> events,
            @Nullable String[] amounts,
            @Nullable String[] currencies,
            @Nullable Double[] scores,
            String[] payloads) {}

    /** What can be made before persons have their numbers, and takes the longest. */
    static Rows rows(List<Sorted> fresh) {
        return new Rows(
                fresh,
                strings(fresh, e -> Amounts.amount(e.event().data())),
                strings(fresh, e -> Amounts.currency(e.event().data())),
                fresh.stream().map(s -> Amounts.score(s.event().event())).toArray(Double[]::new),
                strings(fresh, EventLog::payload));
    }

    /** Appends events whose identity is new, in the poll's transaction. */
    Mono<Void> append(Rows rows, NumberedPersons persons, DatabaseClient db) {
        var fresh = rows.events();
        if (fresh.isEmpty()) {
            return Mono.empty();
        }
        return db.sql(
                        """
                        INSERT INTO analytics_event
                            (tenant_id, id, received_at, occurred_at, module, event_type, user_id, anonymous_id,
                             session_id, person_no, amount, currency, score, source, schema_version, partition_key,
                             payload)
                        SELECT tenant_id, id, received_at, occurred_at, module, event_type, user_id, anonymous_id,
                            session_id, nullif(person_no, 0), amount::numeric, currency, score, source, schema_version,
                            partition_key, payload::jsonb
                        FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[],
                            $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::text[],
                            $13::float8[], $14::text[], $15::int[], $16::text[], $17::text[])
                            AS e(tenant_id, id, received_at, occurred_at, module, event_type, user_id, anonymous_id,
                                session_id, person_no, amount, currency, score, source, schema_version, partition_key,
                                payload)\
                        """)
                .bind(0, strings(fresh, RawEvent::tenantId))
                .bind(1, strings(fresh, e -> e.event().eventId()))
                .bind(2, instants(fresh, RawEvent::receivedAt))
                .bind(3, instants(fresh, e -> e.event().occurredAt()))
                .bind(4, strings(fresh, e -> e.event().module()))
                .bind(5, strings(fresh, e -> e.event().eventType()))
                .bind(6, strings(fresh, e -> e.event().userId()))
                .bind(7, strings(fresh, e -> e.event().anonymousId()))
                .bind(8, strings(fresh, e -> e.event().sessionId()))
                .bind(
                        9,
                        fresh.stream()
                                .map(s -> persons.no(s.event().person()))
                                .toArray(Long[]::new))
                .bind(10, rows.amounts())
                .bind(11, rows.currencies())
                .bind(12, rows.scores())
                .bind(13, strings(fresh, RawEvent::source))
                .bind(
                        14,
                        fresh.stream()
                                .map(s -> s.event().event().schemaVersion())
                                .toArray(Integer[]::new))
                .bind(15, strings(fresh, RawEvent::partitionKey))
                .bind(16, rows.payloads())
                .then();
    }

    private static String payload(RawEvent raw) {
        var event = raw.event();
        var payload = JsonNodeFactory.instance.objectNode();
        payload.set("data", event.data());
        payload.set("metadata", event.metadata());
        payload.set("context", event.context());
        payload.put("timestamp_as_given", event.timestampAsGiven());
        putUnless(event.userId(), payload, "user_id_as_given", raw.given().userId());
        putUnless(event.anonymousId(), payload, "anonymous_id_as_given", raw.given().anonymousId());
        return Json.mapper().writeValueAsString(payload);
    }

    /** An id that names nobody is kept beside the event. */
    private static void putUnless(
            @Nullable String same, ObjectNode payload, String name, @Nullable String given) {
        if (!Objects.equals(same, given)) {
            payload.put(name, given);
        }
    }

    private static String[] strings(
            List<Sorted> events, Function<RawEvent, @Nullable String> value) {
        return events.stream().map(s -> value.apply(s.event())).toArray(String[]::new);
    }

    private static Instant[] instants(List<Sorted> events, Function<RawEvent, Instant> value) {
        return events.stream().map(s -> value.apply(s.event())).toArray(Instant[]::new);
    }
}
