package io.mirante.etl.log;

import io.mirante.contracts.etl.PersonMerge;
import io.mirante.etl.EtlSettings;
import io.mirante.etl.features.ChangedUsers;
import io.mirante.etl.log.MergeRules.Claim;
import io.mirante.etl.log.MergeRules.Numbered;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.r2dbc.spi.Readable;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The ledger of merged persons. Whoever changes rows of a person holds the person's row until the transaction ends: the
 * persons are locked in one order, after the tenants' counters and before the ledger's rows. Thread-safe.
 */
@Component
final class PersonMerges {

    private static final String COLUMNS =
            """
            m.tenant_id, m.merge_id, m.state, m.reason, m.rule, m.kind, m.id, m.person_no, m.user_id, m.user_no,
            m.event_id, m.occurred_at, m.recorded_at, m.undone_at, m.undone_by, m.revision\
            """;

    private final Persons persons;
    private final int mergesPerHour;
    private final Clock clock;

    PersonMerges(Persons persons, EtlSettings settings, Clock clock) {
        this.persons = persons;
        this.mergesPerHour = settings.mergesPerHour();
        this.clock = clock;
    }

    /** The user a person goes by. */
    record User(String id, long no) {}

    /**
     * Takes in what fresh events say about who is who, in the poll's transaction; answers with the rows that changed. An
     * alias to an id that is a known user too is refused for that user, also when the user turns up later.
     */
    Mono<List<PersonMerge>> apply(List<Sorted> fresh, NumberedPersons numbered, DatabaseClient db) {
        var claims =
                fresh.stream()
                        .filter(s -> s.event().visitor() != null)
                        .map(s -> claim(s.event(), numbered))
                        .toList();
        var newUsers = numbered.fresh().stream().filter(p -> p.kind().equals(Person.USER)).toList();
        return aliased(claims, db)
                .zipWhen(aliased -> claimedBefore(newUsers, numbered, db))
                .flatMap(more -> {
                    var all = new ArrayList<>(claims);
                    all.addAll(more.getT1());
                    all.addAll(more.getT2());
                    return all.isEmpty() ? Mono.just(List.of()) : decide(all, db);
                });
    }

    private static Claim claim(RawEvent raw, NumberedPersons numbered) {
        var event = raw.event();
        var user = Objects.requireNonNull(raw.person());
        var visitor = Objects.requireNonNull(raw.visitor());
        return new Claim(
                visitor,
                numbered.no(visitor),
                user.id(),
                numbered.no(user),
                event.eventType(),
                event.eventId(),
                event.occurredAt());
    }

    /**
     * For an alias whose previous id is a known user: the claim that they are one. Holds the tenants' counters, so that a
     * user of this id who is numbered at this moment is either seen here or sees the alias.
     */
    private Mono<List<Claim>> aliased(List<Claim> claims, DatabaseClient db) {
        var aliases = claims.stream().filter(c -> c.rule().equals(RawEvents.ALIAS)).toList();
        if (aliases.isEmpty()) {
            return Mono.just(List.of());
        }
        var users =
                aliases.stream()
                        .map(c -> new Person(c.person().tenantId(), Person.USER, c.person().id()))
                        .collect(Collectors.toSet());
        return persons.lockCounters(users, db)
                .then(Persons.find(users, db))
                .map(known ->
                        aliases.stream()
                                .filter(c -> !c.person().id().equals(c.userId()))
                                .flatMap(c -> {
                                    var user =
                                            new Person(
                                                    c.person().tenantId(),
                                                    Person.USER,
                                                    c.person().id());
                                    var number = known.get(user);
                                    return number == null
                                            ? Stream.<Claim>empty()
                                            : Stream.of(
                                                    new Claim(
                                                            user,
                                                            number.no(),
                                                            c.userId(),
                                                            c.userNo(),
                                                            c.rule(),
                                                            c.eventId(),
                                                            c.occurredAt()));
                                })
                                .toList());
    }

    /** The same where the alias came first. */
    private static Mono<List<Claim>> claimedBefore(
            List<Person> newUsers, NumberedPersons numbered, DatabaseClient db) {
        if (newUsers.isEmpty()) {
            return Mono.just(List.of());
        }
        return db.sql(
                        """
                        SELECT m.tenant_id, m.id, m.user_id, m.user_no, m.event_id, m.occurred_at
                        FROM person_merge m JOIN UNNEST($1::text[], $2::text[]) AS n(tenant_id, id)
                            USING (tenant_id, id)
                        WHERE m.kind = 'anonymous' AND m.rule = 'alias' AND m.id <> m.user_id\
                        """)
                .bind(0, newUsers.stream().map(Person::tenantId).toArray(String[]::new))
                .bind(1, newUsers.stream().map(Person::id).toArray(String[]::new))
                .map(row -> {
                    var user = new Person(text(row, 0), Person.USER, text(row, 1));
                    return new Claim(
                            user,
                            numbered.no(user),
                            text(row, 2),
                            number(row, 3),
                            RawEvents.ALIAS,
                            text(row, 4),
                            time(row, 5));
                })
                .all()
                .collectList();
    }

    private Mono<List<PersonMerge>> decide(List<Claim> claims, DatabaseClient db) {
        return lock(claims, db)
                .then(Mono.defer(() -> ledger(claims, db).zipWhen(ledger -> taken(claims, db))))
                .map(known ->
                        MergeRules.decide(
                                claims, known.getT1(), known.getT2(), mergesPerHour, now()))
                .flatMap(rows -> rows.isEmpty() ? Mono.just(rows) : write(rows, db));
    }

    private static Mono<Void> lock(List<Claim> claims, DatabaseClient db) {
        Set<Numbered> both =
                claims.stream()
                        .flatMap(c -> Stream.of(c.numbered(), c.user()))
                        .collect(Collectors.toSet());
        return db.sql(
                        """
                        SELECT 1 FROM person p JOIN UNNEST($1::text[], $2::bigint[]) AS w(tenant_id, person_no)
                            USING (tenant_id, person_no)
                        ORDER BY p.tenant_id COLLATE "C", p.person_no FOR UPDATE OF p\
                        """)
                .bind(0, tenants(both))
                .bind(1, numbers(both))
                .then();
    }

    private static Mono<List<PersonMerge>> ledger(List<Claim> claims, DatabaseClient db) {
        var claimed = claims.stream().map(Claim::numbered).collect(Collectors.toSet());
        return db.sql(
                        """
                        SELECT %s FROM person_merge m JOIN UNNEST($1::text[], $2::bigint[]) AS w(tenant_id, person_no)
                            USING (tenant_id, person_no)\
                        """
                                .formatted(COLUMNS))
                .bind(0, tenants(claimed))
                .bind(1, numbers(claimed))
                .map(PersonMerges::row)
                .all()
                .collectList();
    }

    /** When the users took in visitors, from an hour before the first claim to the last. */
    private static Mono<Map<Numbered, List<Instant>>> taken(List<Claim> claims, DatabaseClient db) {
        Map<Numbered, Instant> first = new HashMap<>();
        Map<Numbered, Instant> last = new HashMap<>();
        for (var claim : claims) {
            first.merge(claim.user(), claim.occurredAt(), (a, b) -> a.isBefore(b) ? a : b);
            last.merge(claim.user(), claim.occurredAt(), (a, b) -> a.isAfter(b) ? a : b);
        }
        var users = List.copyOf(first.keySet());
        return db.sql(
                        """
                        SELECT m.tenant_id, m.user_no, m.occurred_at
                        FROM person_merge m
                        JOIN UNNEST($1::text[], $2::bigint[], $3::timestamptz[], $4::timestamptz[])
                            AS w(tenant_id, user_no, first, last) USING (tenant_id, user_no)
                        WHERE m.state = 'merged' AND m.occurred_at BETWEEN w.first AND w.last\
                        """)
                .bind(0, tenants(users))
                .bind(1, numbers(users))
                .bind(
                        2,
                        users.stream()
                                .map(u ->
                                        Objects.requireNonNull(first.get(u))
                                                .minus(MergeRules.WINDOW))
                                .toArray(Instant[]::new))
                .bind(
                        3,
                        users.stream()
                                .map(u -> Objects.requireNonNull(last.get(u)))
                                .toArray(Instant[]::new))
                .map(row -> Map.entry(new Numbered(text(row, 0), number(row, 1)), time(row, 2)))
                .all()
                .collect(
                        Collectors.groupingBy(
                                Map.Entry::getKey,
                                Collectors.mapping(Map.Entry::getValue, Collectors.toList())));
    }

    private static Mono<List<PersonMerge>> write(List<PersonMerge> rows, DatabaseClient db) {
        return upsert(db, rows, 0, "", "").then().thenReturn(rows);
    }

    /**
     * Takes over rows told by {@code mirante.identities}, where they are newer than what is here; answers with those that
     * were.
     */
    Flux<PersonMerge> learn(List<PersonMerge> told, DatabaseClient db) {
        Map<List<String>, PersonMerge> newest = new LinkedHashMap<>();
        for (var row : told) {
            newest.merge(
                    List.of(row.tenantId(), row.mergeId()),
                    row,
                    (a, b) -> b.revision() > a.revision() ? b : a);
        }
        return newest.isEmpty()
                ? Flux.empty()
                : upsert(
                                db,
                                newest.values(),
                                1,
                                " WHERE m.revision < excluded.revision",
                                " RETURNING " + COLUMNS)
                        .map(PersonMerges::row)
                        .all();
    }

    /** The users that visitors go by; without those who go by nobody. */
    Mono<Map<Person, User>> users(Collection<Person> visitors, DatabaseClient db) {
        if (visitors.isEmpty()) {
            return Mono.just(Map.of());
        }
        return db.sql(
                        """
                        SELECT m.tenant_id, m.id, m.user_id, m.user_no
                        FROM person_merge m JOIN UNNEST($1::text[], $2::text[]) AS w(tenant_id, id)
                            USING (tenant_id, id)
                        WHERE m.kind = 'anonymous' AND m.state = 'merged'\
                        """)
                .bind(0, visitors.stream().map(Person::tenantId).toArray(String[]::new))
                .bind(1, visitors.stream().map(Person::id).toArray(String[]::new))
                .map(row ->
                        Map.entry(
                                new Person(text(row, 0), Person.ANONYMOUS, text(row, 1)),
                                new User(text(row, 2), number(row, 3))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    /** What was merged, refused or undone for a user or with one, newest first. */
    Flux<PersonMerge> of(String tenant, long userNo, int limit, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT %s FROM person_merge m
                        WHERE m.tenant_id = $1 AND (m.user_no = $2 OR m.person_no = $2)
                        ORDER BY m.recorded_at DESC, m.merge_id LIMIT $3\
                        """
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, userNo)
                .bind(2, limit)
                .map(PersonMerges::row)
                .all();
    }

    /** A row, held until the transaction ends; empty when the user has none of this id. */
    Mono<PersonMerge> hold(String tenant, String userId, String mergeId, DatabaseClient db) {
        var held =
                db.sql(
                                """
                                SELECT 1 FROM person p JOIN person_merge m
                                    ON m.tenant_id = p.tenant_id AND m.person_no = p.person_no
                                WHERE p.tenant_id = $1 AND m.merge_id = $2 FOR UPDATE OF p\
                                """)
                        .bind(0, tenant)
                        .bind(1, mergeId)
                        .then();
        return held.then(
                Mono.defer(() ->
                        db.sql(
                                        """
                                        SELECT %s FROM person_merge m
                                        WHERE m.tenant_id = $1 AND m.merge_id = $2 AND m.user_id = $3\
                                        """
                                                .formatted(COLUMNS))
                                .bind(0, tenant)
                                .bind(1, mergeId)
                                .bind(2, userId)
                                .map(PersonMerges::row)
                                .one()));
    }

    /** Takes a merge apart that is held; answers with the row as it is then. */
    Mono<PersonMerge> undo(PersonMerge held, String by, DatabaseClient db) {
        return db.sql(
                        """
                        UPDATE person_merge m SET state = 'undone', undone_at = $3, undone_by = $4,
                            revision = (SELECT max(o.revision) + 1 FROM person_merge o
                                        WHERE o.tenant_id = $1 AND o.person_no = m.person_no)
                        WHERE m.tenant_id = $1 AND m.merge_id = $2
                        RETURNING %s\
                        """
                                .formatted(COLUMNS))
                .bind(0, held.tenantId())
                .bind(1, held.mergeId())
                .bind(2, now())
                .bind(3, by)
                .map(PersonMerges::row)
                .one();
    }

    /** The user's features change with the merge, also when it ends. */
    static ChangedUsers.Change changeOf(PersonMerge merge) {
        return new ChangedUsers.Change(
                merge.tenantId(), merge.userId(), merge.userNo(), merge.occurredAt());
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MICROS);
    }

    /** In the order of keys, in which the publisher locks them too. */
    private static DatabaseClient.GenericExecuteSpec upsert(
            DatabaseClient db,
            Collection<PersonMerge> rows,
            int published,
            String condition,
            String returning) {
        var sorted = new TreeMap<String, PersonMerge>();
        rows.forEach(r -> sorted.put(r.tenantId() + '\n' + r.mergeId(), r));
        var all = List.copyOf(sorted.values());
        return db.sql(
                        """
                        INSERT INTO person_merge AS m (tenant_id, merge_id, state, reason, rule, kind, id, person_no,
                            user_id, user_no, event_id, occurred_at, recorded_at, undone_at, undone_by, revision,
                            published_revision)
                        SELECT n.*, n.revision * $17
                        FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                            $7::text[], $8::bigint[], $9::text[], $10::bigint[], $11::text[], $12::timestamptz[],
                            $13::timestamptz[], $14::timestamptz[], $15::text[], $16::bigint[])
                            AS n(tenant_id, merge_id, state, reason, rule, kind, id, person_no, user_id, user_no,
                                event_id, occurred_at, recorded_at, undone_at, undone_by, revision)
                        ON CONFLICT (tenant_id, merge_id) DO UPDATE SET state = excluded.state,
                            reason = excluded.reason, rule = excluded.rule, event_id = excluded.event_id,
                            occurred_at = excluded.occurred_at, recorded_at = excluded.recorded_at,
                            undone_at = excluded.undone_at, undone_by = excluded.undone_by,
                            revision = excluded.revision,
                            published_revision = greatest(m.published_revision, excluded.published_revision)\
                        """
                                + condition
                                + returning)
                .bind(0, texts(all, PersonMerge::tenantId))
                .bind(1, texts(all, PersonMerge::mergeId))
                .bind(2, texts(all, PersonMerge::state))
                .bind(3, texts(all, PersonMerge::reason))
                .bind(4, texts(all, PersonMerge::rule))
                .bind(5, texts(all, PersonMerge::kind))
                .bind(6, texts(all, PersonMerge::id))
                .bind(7, all.stream().map(PersonMerge::personNo).toArray(Long[]::new))
                .bind(8, texts(all, PersonMerge::userId))
                .bind(9, all.stream().map(PersonMerge::userNo).toArray(Long[]::new))
                .bind(10, texts(all, PersonMerge::eventId))
                .bind(11, all.stream().map(PersonMerge::occurredAt).toArray(Instant[]::new))
                .bind(12, all.stream().map(PersonMerge::recordedAt).toArray(Instant[]::new))
                .bind(13, all.stream().map(PersonMerge::undoneAt).toArray(Instant[]::new))
                .bind(14, texts(all, PersonMerge::undoneBy))
                .bind(15, all.stream().map(PersonMerge::revision).toArray(Long[]::new))
                .bind(16, (long) published);
    }

    static PersonMerge row(Readable row) {
        return new PersonMerge(
                text(row, 0),
                text(row, 1),
                text(row, 2),
                row.get(3, String.class),
                text(row, 4),
                text(row, 5),
                text(row, 6),
                number(row, 7),
                text(row, 8),
                number(row, 9),
                text(row, 10),
                time(row, 11),
                time(row, 12),
                row.get(13, Instant.class),
                row.get(14, String.class),
                number(row, 15));
    }

    private static String[] tenants(Collection<Numbered> persons) {
        return persons.stream().map(Numbered::tenantId).toArray(String[]::new);
    }

    private static Long[] numbers(Collection<Numbered> persons) {
        return persons.stream().map(Numbered::no).toArray(Long[]::new);
    }

    private static @Nullable String[] texts(
            List<PersonMerge> rows, Function<PersonMerge, @Nullable String> value) {
        var texts = new @Nullable String[rows.size()];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = value.apply(rows.get(i));
        }
        return texts;
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static long number(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Long.class));
    }

    private static Instant time(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Instant.class));
    }
}
