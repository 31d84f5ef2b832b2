package io.mirante.etl.log;

import io.mirante.contracts.etl.PersonNumbered;
import io.mirante.etl.log.NumberedPersons.Number;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Gives each person a number, 1, 2, 3 … within the tenant, in the order of first appearance. A number given is never
 * given again. Thread-safe.
 */
@Component
final class Persons {

    /**
     * Finds or gives numbers, in the poll's transaction. Tenants with new persons are locked in one order until it ends.
     */
    Mono<NumberedPersons> number(Set<Person> wanted, DatabaseClient db) {
        if (wanted.isEmpty()) {
            return Mono.just(new NumberedPersons(Map.of(), Set.of()));
        }
        return find(wanted, db)
                .flatMap(found -> {
                    var missing = without(wanted, found);
                    return missing.isEmpty()
                            ? Mono.just(new NumberedPersons(found, Set.of()))
                            : lockCounters(missing, db)
                                    .then(give(missing, db))
                                    .flatMap(given -> complete(found, given, missing, db));
                });
    }

    /** Takes over numbers given earlier, as told by {@code mirante.identities}; numbers known stay as they are. */
    Mono<Void> learn(List<PersonNumbered> persons, DatabaseClient db) {
        var learnt =
                db.sql(
                                """
                                INSERT INTO person (tenant_id, kind, id, person_no, numbered_at)
                                SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
                                ON CONFLICT DO NOTHING\
                                """)
                        .bind(0, strings(persons, PersonNumbered::tenantId))
                        .bind(1, strings(persons, PersonNumbered::kind))
                        .bind(2, strings(persons, PersonNumbered::id))
                        .bind(
                                3,
                                persons.stream().map(PersonNumbered::personNo).toArray(Long[]::new))
                        .bind(
                                4,
                                persons.stream()
                                        .map(PersonNumbered::numberedAt)
                                        .toArray(Instant[]::new))
                        .then();
        var raised =
                db.sql(
                                """
                                INSERT INTO person_counter (tenant_id, next_no)
                                SELECT tenant_id, max(person_no) + 1
                                FROM UNNEST($1::text[], $2::bigint[]) AS p(tenant_id, person_no)
                                GROUP BY tenant_id ORDER BY tenant_id COLLATE "C"
                                ON CONFLICT (tenant_id)
                                DO UPDATE SET next_no = greatest(person_counter.next_no, excluded.next_no)\
                                """)
                        .bind(0, strings(persons, PersonNumbered::tenantId))
                        .bind(
                                1,
                                persons.stream().map(PersonNumbered::personNo).toArray(Long[]::new))
                        .then();
        return raised.then(learnt);
    }

    /** Numbers of those who have one. */
    static Mono<Map<Person, Number>> find(Collection<Person> wanted, DatabaseClient db) {
        var persons = List.copyOf(wanted);
        return bind(
                        db.sql(
                                """
                                SELECT array_agg(w.place), array_agg(p.person_no), array_agg(p.numbered_at)
                                FROM person p JOIN UNNEST($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
                                    AS w(tenant_id, kind, id, place) USING (tenant_id, kind, id)\
                                """),
                        persons)
                .map(row -> found(persons, row))
                .one();
    }

    /** One row for all: decoding a row costs more than finding one. */
    private static Map<Person, Number> found(List<Person> persons, Readable row) {
        var places = row.get(0, Long[].class);
        if (places == null) {
            return Map.of();
        }
        var numbers = Objects.requireNonNull(row.get(1, Long[].class));
        var since = Objects.requireNonNull(row.get(2, Instant[].class));
        var found = HashMap.<Person, Number>newHashMap(places.length);
        for (int i = 0; i < places.length; i++) {
            found.put(persons.get((int) (places[i] - 1)), new Number(numbers[i], since[i]));
        }
        return found;
    }

    /** Holds the tenants' counters, so that whoever numbers the same persons at this moment has finished. */
    Mono<Void> lockCounters(Collection<Person> missing, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO person_counter (tenant_id, next_no)
                        SELECT tenant_id, 1 FROM UNNEST($1::text[]) AS t(tenant_id)
                        GROUP BY tenant_id ORDER BY tenant_id COLLATE "C"
                        ON CONFLICT (tenant_id) DO UPDATE SET next_no = person_counter.next_no\
                        """)
                .bind(0, missing.stream().map(Person::tenantId).toArray(String[]::new))
                .then();
    }

    private static Mono<Map<Person, Number>> give(Collection<Person> missing, DatabaseClient db) {
        return bind(
                        db.sql(
                                """
                                WITH wanted AS (
                                    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[])
                                        WITH ORDINALITY AS w(tenant_id, kind, id, place)
                                ), missing AS (
                                    SELECT w.* FROM wanted w WHERE NOT EXISTS (
                                        SELECT 1 FROM person p
                                        WHERE p.tenant_id = w.tenant_id AND p.kind = w.kind AND p.id = w.id)
                                ), raised AS (
                                    UPDATE person_counter c SET next_no = c.next_no + m.persons
                                    FROM (SELECT tenant_id, count(*) AS persons FROM missing GROUP BY tenant_id) m
                                    WHERE c.tenant_id = m.tenant_id
                                    RETURNING c.tenant_id, c.next_no - m.persons AS first_no
                                )
                                INSERT INTO person (tenant_id, kind, id, person_no, numbered_at)
                                SELECT m.tenant_id, m.kind, m.id,
                                    r.first_no + row_number() OVER (PARTITION BY m.tenant_id ORDER BY m.place) - 1,
                                    now()
                                FROM missing m JOIN raised r USING (tenant_id)
                                RETURNING tenant_id, kind, id, person_no, numbered_at\
                                """),
                        missing)
                .map(Persons::numbered)
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    private static Mono<NumberedPersons> complete(
            Map<Person, Number> found,
            Map<Person, Number> given,
            Set<Person> missing,
            DatabaseClient db) {
        Map<Person, Number> all = new HashMap<>(found);
        all.putAll(given);
        var meanwhile = without(missing, given);
        return meanwhile.isEmpty()
                ? Mono.just(new NumberedPersons(all, given.keySet()))
                : find(meanwhile, db)
                        .map(others -> {
                            all.putAll(others);
                            return new NumberedPersons(all, given.keySet());
                        });
    }

    private static Set<Person> without(Set<Person> persons, Map<Person, Number> found) {
        var rest = new LinkedHashSet<>(persons);
        rest.removeAll(found.keySet());
        return rest;
    }

    private static DatabaseClient.GenericExecuteSpec bind(
            DatabaseClient.GenericExecuteSpec spec, Collection<Person> persons) {
        return spec.bind(0, persons.stream().map(Person::tenantId).toArray(String[]::new))
                .bind(1, persons.stream().map(Person::kind).toArray(String[]::new))
                .bind(2, persons.stream().map(Person::id).toArray(String[]::new));
    }

    private static Map.Entry<Person, Number> numbered(Readable row) {
        return Map.entry(
                new Person(text(row, 0), text(row, 1), text(row, 2)),
                new Number(
                        Objects.requireNonNull(row.get(3, Long.class)),
                        Objects.requireNonNull(row.get(4, Instant.class))));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static String[] strings(
            List<PersonNumbered> persons,
            java.util.function.Function<PersonNumbered, String> value) {
        return persons.stream().map(value).toArray(String[]::new);
    }
}
