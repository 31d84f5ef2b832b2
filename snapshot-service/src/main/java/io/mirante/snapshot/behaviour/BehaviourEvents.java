package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.events.EventTypes;
import io.mirante.snapshot.Generation;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** Stores counted events, one row each, and the persons seen. Thread-safe. */
@Component
public final class BehaviourEvents {

    private static final Comparator<CleanEvent> BY_KEY =
            Comparator.comparing(CleanEvent::tenantId)
                    .thenComparing(CleanEvent::personNo)
                    .thenComparing(CleanEvent::occurredAt)
                    .thenComparing(CleanEvent::eventId);

    BehaviourEvents() {}

    private record Key(String tenant, String eventId) {}

    private record PersonKey(String tenant, long number) implements Comparable<PersonKey> {
        @Override
        public int compareTo(PersonKey other) {
            int tenants = tenant.compareTo(other.tenant);
            return tenants != 0 ? tenants : Long.compare(number, other.number);
        }
    }

    private record Person(
            @Nullable String userId, @Nullable String anonymousId, Instant first, Instant last) {
        Person and(Person other) {
            return new Person(
                    other.userId != null ? other.userId : userId,
                    other.anonymousId != null ? other.anonymousId : anonymousId,
                    other.first.isBefore(first) ? other.first : first,
                    other.last.isAfter(last) ? other.last : last);
        }
    }

    /** Stores the events of a poll and the persons seen; answers with the events that had no row yet. */
    public Mono<List<CleanEvent>> insert(List<CleanEvent> events, DatabaseClient stream) {
        return insert(events, Generation.CURRENT, stream)
                .flatMap(stored -> see(stored, stream).thenReturn(stored));
    }

    /** Stores events alone; answers with those that had no row yet. */
    public Mono<List<CleanEvent>> insert(
            List<CleanEvent> events, Generation generation, DatabaseClient stream) {
        var sorted = new ArrayList<>(events);
        sorted.sort(BY_KEY);
        return stream.sql(
                        "INSERT INTO "
                                + generation.eventTable()
                                + " (tenant_id, person_no, occurred_at, event_id, event_type,"
                                + " main_property, session_id, user_id, anonymous_id, country, device, data,"
                                + " received_at) SELECT t, p, o::timestamptz, e, y, m, s, u, a, c, d, j::jsonb,"
                                + " r::timestamptz FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[],"
                                + " $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],"
                                + " $11::text[], $12::text[], $13::text[]) AS x(t, p, o, e, y, m, s, u, a, c, d, j,"
                                + " r) ON CONFLICT DO NOTHING RETURNING tenant_id, event_id")
                .bind(0, texts(sorted, CleanEvent::tenantId))
                .bind(1, sorted.stream().map(CleanEvent::personNo).toArray(Long[]::new))
                .bind(2, texts(sorted, e -> e.occurredAt().toString()))
                .bind(3, texts(sorted, CleanEvent::eventId))
                .bind(4, texts(sorted, CleanEvent::eventType))
                .bind(5, texts(sorted, e -> EventTypes.mainProperty(e.eventType(), e.data())))
                .bind(6, texts(sorted, CleanEvent::sessionId))
                .bind(7, texts(sorted, CleanEvent::userId))
                .bind(8, texts(sorted, CleanEvent::anonymousId))
                .bind(9, texts(sorted, e -> text(e.context().path("location").path("country"))))
                .bind(10, texts(sorted, e -> text(e.context().path("device").path("device_type"))))
                .bind(11, texts(sorted, e -> Json.mapper().writeValueAsString(e.data())))
                .bind(12, texts(sorted, e -> e.receivedAt().toString()))
                .map(BehaviourEvents::key)
                .all()
                .collectList()
                .map(stored -> only(events, stored));
    }

    /** Remembers who was seen, when first and when last. */
    private static Mono<Void> see(List<CleanEvent> events, DatabaseClient stream) {
        var seen = new TreeMap<PersonKey, Person>();
        for (var event : events) {
            if (event.personNo() > 0) {
                seen.merge(
                        new PersonKey(event.tenantId(), event.personNo()),
                        new Person(
                                event.userId(),
                                event.anonymousId(),
                                event.occurredAt(),
                                event.occurredAt()),
                        Person::and);
            }
        }
        if (seen.isEmpty()) {
            return Mono.empty();
        }
        var keys = List.copyOf(seen.keySet());
        var persons = List.copyOf(seen.values());
        return stream.sql(
                        "INSERT INTO person AS p (tenant_id, person_no, user_id, anonymous_id, first_seen_at,"
                                + " last_seen_at) SELECT t, n, u, a, f::timestamptz, l::timestamptz FROM"
                                + " UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[],"
                                + " $6::text[]) AS x(t, n, u, a, f, l) ON CONFLICT (tenant_id, person_no) DO UPDATE"
                                + " SET user_id = coalesce(excluded.user_id, p.user_id), anonymous_id ="
                                + " coalesce(excluded.anonymous_id, p.anonymous_id), first_seen_at ="
                                + " least(p.first_seen_at, excluded.first_seen_at), last_seen_at ="
                                + " greatest(p.last_seen_at, excluded.last_seen_at)")
                .bind(0, texts(keys, PersonKey::tenant))
                .bind(1, keys.stream().map(PersonKey::number).toArray(Long[]::new))
                .bind(2, texts(persons, Person::userId))
                .bind(3, texts(persons, Person::anonymousId))
                .bind(4, texts(persons, p -> p.first().toString()))
                .bind(5, texts(persons, p -> p.last().toString()))
                .then();
    }

    /** The events whose rows are new, each once, in their order. */
    private static List<CleanEvent> only(List<CleanEvent> events, List<Key> stored) {
        var left = new HashSet<>(stored);
        return events.stream()
                .filter(e -> left.remove(new Key(e.tenantId(), e.eventId())))
                .toList();
    }

    private static Key key(Readable row) {
        return new Key(
                Objects.requireNonNull(row.get(0, String.class)),
                Objects.requireNonNull(row.get(1, String.class)));
    }

    private static <T> @Nullable String[] texts(
            List<T> values, Function<T, @Nullable String> text) {
        var texts = new @Nullable String[values.size()];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = text.apply(values.get(i));
        }
        return texts;
    }

    private static @Nullable String text(JsonNode value) {
        return value.isString() && !value.stringValue().isBlank() ? value.stringValue() : null;
    }
}
