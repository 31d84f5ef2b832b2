package io.mirante.segmentation.profile;

import io.mirante.contracts.Json;
import io.mirante.segmentation.Rows;
import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/** The store of profiles. The given client decides which tenants are seen. */
@Component
final class Profiles {

    /** A profile's own row. */
    record Profile(
            String userId,
            @Nullable Instant firstSeenAt,
            @Nullable Instant lastSeenAt,
            ObjectNode traits,
            long engagement,
            boolean removed) {}

    /** With what the user did as a visitor; traits are those said of the user. */
    private static final String SELECT =
            """
            SELECT p.user_id, least(p.first_seen_at, v.first_seen_at) AS first_seen_at,
                greatest(p.last_seen_at, v.last_seen_at) AS last_seen_at, p.traits::text AS traits,
                p.engagement + coalesce(v.engagement, 0) AS engagement, p.removed
            FROM profile p LEFT JOIN LATERAL (
                SELECT min(o.first_seen_at) AS first_seen_at, max(o.last_seen_at) AS last_seen_at,
                    sum(o.engagement)::bigint AS engagement
                FROM merged_visitor m JOIN visitor_day o USING (tenant_id, anonymous_id)
                WHERE m.tenant_id = p.tenant_id AND m.user_id = p.user_id) v ON true\
            """;

    /** Adds what a poll changed, in an order that two polls share. */
    Mono<Void> add(
            DatabaseClient db,
            Collection<ProfileChange> users,
            Collection<ProfileChange> visitors) {
        var buyers =
                Stream.concat(users.stream(), visitors.stream())
                        .filter(ProfileChange::hasPurchases)
                        .map(c -> c.tenant)
                        .toList();
        return addRows(db, users, visitors, "")
                .then(buyers.isEmpty() ? Mono.<Void>empty() : moveRevision(db, buyers));
    }

    /** Adds them to a copy of the tables whose names begin so. */
    static Mono<Void> addRows(
            DatabaseClient db,
            Collection<ProfileChange> users,
            Collection<ProfileChange> visitors,
            String generation) {
        return (users.isEmpty() ? Mono.<Void>empty() : addUsers(db, users, generation))
                .then(
                        visitors.isEmpty()
                                ? Mono.<Void>empty()
                                : addDays(db, visitors, DayTables.ofVisitors(generation)));
    }

    private static Mono<Void> addUsers(
            DatabaseClient db, Collection<ProfileChange> changes, String generation) {
        return addProfiles(db, changes, generation)
                .then(addDays(db, changes, DayTables.ofUsers(generation)))
                .then(addAnonymousIds(db, changes, generation));
    }

    private static Mono<Void> addProfiles(
            DatabaseClient db, Collection<ProfileChange> changes, String generation) {
        return db.sql(
                        """
                        INSERT INTO %sprofile AS p
                          (tenant_id, user_id, first_seen_at, last_seen_at, engagement, traits, traits_at)
                        SELECT t, u, f, l, e, j::jsonb, a
                        FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[],
                                    $6::text[], $7::timestamptz[]) AS n(t, u, f, l, e, j, a)
                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                        SET first_seen_at = least(p.first_seen_at, excluded.first_seen_at),
                            last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at),
                            engagement = p.engagement + excluded.engagement,
                            traits = CASE WHEN excluded.traits_at >= p.traits_at THEN p.traits || excluded.traits
                                          ELSE excluded.traits || p.traits END,
                            traits_at = greatest(p.traits_at, excluded.traits_at)
                        """
                                .formatted(generation))
                .bind(0, texts(changes, c -> c.tenant))
                .bind(1, texts(changes, c -> c.user))
                .bind(2, texts(changes, c -> c.firstSeen().toString()))
                .bind(3, texts(changes, c -> c.lastSeen().toString()))
                .bind(4, changes.stream().map(ProfileChange::engagement).toArray(Long[]::new))
                .bind(5, texts(changes, c -> c.traits.toString()))
                .bind(
                        6,
                        texts(
                                changes,
                                c -> {
                                    var at = c.traitsAt;
                                    return at == null ? "-infinity" : at.toString();
                                }))
                .then();
    }

    /** A part of one person's day. */
    private record Part<T>(ProfileChange change, LocalDate day, T value) {}

    /** Parts of all days, in the order of person and day. */
    private static <T> List<Part<T>> parts(
            Collection<ProfileChange> changes, Function<ProfileChange.Day, Collection<T>> of) {
        return changes.stream()
                .flatMap(change ->
                        change.days.entrySet().stream()
                                .flatMap(day ->
                                        of.apply(day.getValue()).stream()
                                                .map(v -> new Part<>(change, day.getKey(), v))))
                .toList();
    }

    private static <T> DatabaseClient.GenericExecuteSpec bound(
            DatabaseClient db, String sql, List<Part<T>> parts) {
        return db.sql(sql)
                .bind(0, texts(parts, p -> p.change().tenant))
                .bind(1, texts(parts, p -> p.change().user))
                .bind(2, texts(parts, p -> p.day().toString()));
    }

    private static Mono<Void> addDays(
            DatabaseClient db, Collection<ProfileChange> changes, DayTables tables) {
        var days = parts(changes, List::of);
        var counts = parts(changes, day -> day.events.entrySet());
        return bound(db, tables.addDays(), days)
                .bind(3, texts(days, d -> d.value().firstSeen.toString()))
                .bind(4, texts(days, d -> d.value().lastSeen.toString()))
                .bind(5, days.stream().map(d -> d.value().engagement).toArray(Long[]::new))
                .bind(6, texts(days, d -> d.value().visits()))
                .then()
                .then(
                        bound(db, tables.addEvents(), counts)
                                .bind(3, texts(counts, c -> c.value().getKey()))
                                .bind(
                                        4,
                                        counts.stream()
                                                .map(c -> c.value().getValue().events())
                                                .toArray(Long[]::new))
                                .bind(
                                        5,
                                        texts(
                                                counts,
                                                c ->
                                                        c.value()
                                                                .getValue()
                                                                .receivedFrom()
                                                                .toString()))
                                .then())
                .then(addSessions(db, changes, tables))
                .then(addPurchases(db, changes, tables));
    }

    private static Mono<Void> addSessions(
            DatabaseClient db, Collection<ProfileChange> changes, DayTables tables) {
        var sessions = parts(changes, day -> day.sessions);
        return sessions.isEmpty()
                ? Mono.empty()
                : bound(db, tables.addSessions(), sessions)
                        .bind(3, texts(sessions, Part::value))
                        .then();
    }

    private static Mono<Void> addPurchases(
            DatabaseClient db, Collection<ProfileChange> changes, DayTables tables) {
        var purchases = parts(changes, day -> day.purchases.entrySet());
        return purchases.isEmpty()
                ? Mono.empty()
                : bound(db, tables.addPurchases(), purchases)
                        .bind(3, texts(purchases, p -> p.value().getKey()))
                        .bind(
                                4,
                                purchases.stream()
                                        .map(p -> p.value().getValue().orders())
                                        .toArray(Long[]::new))
                        .bind(
                                5,
                                texts(
                                        purchases,
                                        p -> p.value().getValue().amount().toPlainString()))
                        .then();
    }

    private static Mono<Void> addAnonymousIds(
            DatabaseClient db, Collection<ProfileChange> changes, String generation) {
        record Pair(ProfileChange change, String id) {}
        var pairs =
                changes.stream()
                        .flatMap(c -> c.anonymousIds.stream().map(id -> new Pair(c, id)))
                        .toList();
        return pairs.isEmpty()
                ? Mono.empty()
                : db.sql(
                                "INSERT INTO %sknown_as (tenant_id, user_id, anonymous_id) SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"
                                        .formatted(generation))
                        .bind(0, texts(pairs, p -> p.change().tenant))
                        .bind(1, texts(pairs, p -> p.change().user))
                        .bind(2, texts(pairs, Pair::id))
                        .then();
    }

    /** Last of a poll, because its rows are one per tenant and two polls of a tenant wait for each other here. */
    static Mono<Void> moveRevision(DatabaseClient db, List<String> tenants) {
        return db.sql(
                        "INSERT INTO purchase_revision AS r (tenant_id, revision) SELECT t, 1 FROM UNNEST($1::text[]) AS n(t) ON CONFLICT (tenant_id) DO UPDATE SET revision = r.revision + 1")
                .bind(0, tenants.stream().distinct().sorted().toArray(String[]::new))
                .then();
    }

    /** A profile, or empty; also one that was taken off the list of fans. */
    Mono<Profile> find(DatabaseClient db, String tenant, String userId) {
        return db.sql(SELECT + " WHERE p.tenant_id = $1 AND p.user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .map(Profiles::profile)
                .one();
    }

    /** Profiles after a user id, in the order of ids. */
    Flux<Profile> list(DatabaseClient db, String tenant, @Nullable String after, int limit) {
        return db.sql(
                        SELECT
                                + " WHERE p.tenant_id = $1 AND p.user_id > $2 AND NOT p.removed ORDER BY p.user_id LIMIT $3")
                .bind(0, tenant)
                .bind(1, after == null ? "" : after)
                .bind(2, limit)
                .map(Profiles::profile)
                .all();
    }

    /** Events by type. */
    Flux<TypeCount> events(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        """
                        SELECT event_type, sum(events)::bigint AS events FROM (
                            SELECT event_type, events FROM event_count WHERE tenant_id = $1 AND user_id = $2
                            UNION ALL
                            SELECT v.event_type, v.events
                            FROM merged_visitor m JOIN visitor_event_count v USING (tenant_id, anonymous_id)
                            WHERE m.tenant_id = $1 AND m.user_id = $2) e
                        GROUP BY event_type ORDER BY event_type\
                        """)
                .bind(0, tenant)
                .bind(1, userId)
                .map(row ->
                        new TypeCount(
                                Rows.text(row, "event_type"),
                                Rows.value(row, "events", Long.class)))
                .all();
    }

    record TypeCount(String type, long events) {}

    /** Sums of purchases: all orders, and the amount in one currency. */
    Mono<Revenue> revenue(DatabaseClient db, String tenant, String userId, String currency) {
        return db.sql(
                        "SELECT coalesce(sum(orders), 0)::bigint AS orders, coalesce(sum(amount) FILTER (WHERE currency = $3), 0) AS amount FROM purchase_of_user WHERE tenant_id = $1 AND user_id = $2")
                .bind(0, tenant)
                .bind(1, userId)
                .bind(2, currency)
                .map(row ->
                        new Revenue(
                                Rows.value(row, "orders", Long.class),
                                Rows.value(row, "amount", BigDecimal.class),
                                currency))
                .one();
    }

    record Revenue(long orders, BigDecimal amount, String currency) {}

    /** Distinct session ids of the client's, and visits without one. */
    Mono<Long> sessions(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        """
                        SELECT (SELECT count(*) FROM (
                            SELECT session_id FROM client_session WHERE tenant_id = $1 AND user_id = $2
                            UNION
                            SELECT v.session_id
                            FROM merged_visitor m JOIN visitor_session v USING (tenant_id, anonymous_id)
                            WHERE m.tenant_id = $1 AND m.user_id = $2) s)
                        + (SELECT count(*) FROM unnest((SELECT range_agg(visits) FROM (
                            SELECT visits FROM user_day WHERE tenant_id = $1 AND user_id = $2
                            UNION ALL
                            SELECT v.visits
                            FROM merged_visitor m JOIN visitor_day v USING (tenant_id, anonymous_id)
                            WHERE m.tenant_id = $1 AND m.user_id = $2) d))) AS n\
                        """)
                .bind(0, tenant)
                .bind(1, userId)
                .map(row -> Rows.value(row, "n", Long.class))
                .one();
    }

    /** Anonymous ids merged into the user, and those the user was seen with that the ledger gives to nobody else. */
    Flux<String> anonymousIds(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        """
                        SELECT anonymous_id FROM merged_visitor WHERE tenant_id = $1 AND user_id = $2
                        UNION
                        SELECT k.anonymous_id FROM known_as k
                        WHERE k.tenant_id = $1 AND k.user_id = $2 AND NOT EXISTS (
                            SELECT 1 FROM merged_visitor m
                            WHERE m.tenant_id = $1 AND m.anonymous_id = k.anonymous_id
                                AND m.user_id IS DISTINCT FROM $2)
                        ORDER BY anonymous_id LIMIT 100\
                        """)
                .bind(0, tenant)
                .bind(1, userId)
                .map(row -> Rows.text(row, "anonymous_id"))
                .all();
    }

    /** Makes a profile, or brings back one that was removed. False when there is one. */
    Mono<Boolean> create(
            DatabaseClient db, String tenant, String userId, ObjectNode traits, Instant now) {
        return db.sql(
                        "INSERT INTO profile AS p (tenant_id, user_id, traits, traits_at) VALUES ($1, $2, $3::jsonb, $4) ON CONFLICT (tenant_id, user_id) DO UPDATE SET traits = excluded.traits, traits_at = excluded.traits_at, removed = false WHERE p.removed")
                .bind(0, tenant)
                .bind(1, userId)
                .bind(2, traits.toString())
                .bind(3, now)
                .fetch()
                .rowsUpdated()
                .map(n -> n > 0);
    }

    /** Replaces what is said about a fan. False when there is none. */
    Mono<Boolean> replace(
            DatabaseClient db, String tenant, String userId, ObjectNode traits, Instant now) {
        return db.sql(
                        "UPDATE profile SET traits = $3::jsonb, traits_at = $4 WHERE tenant_id = $1 AND user_id = $2 AND NOT removed")
                .bind(0, tenant)
                .bind(1, userId)
                .bind(2, traits.toString())
                .bind(3, now)
                .fetch()
                .rowsUpdated()
                .map(n -> n > 0);
    }

    /** Forgets what is said about a fan and takes them off the list; counts of events stay. False when there is none. */
    Mono<Boolean> remove(DatabaseClient db, String tenant, String userId, Instant now) {
        return db.sql(
                        "UPDATE profile SET traits = '{}', traits_at = $3, removed = true WHERE tenant_id = $1 AND user_id = $2 AND NOT removed")
                .bind(0, tenant)
                .bind(1, userId)
                .bind(2, now)
                .fetch()
                .rowsUpdated()
                .map(n -> n > 0);
    }

    private static Profile profile(Readable row) {
        return new Profile(
                Rows.text(row, "user_id"),
                row.get("first_seen_at", Instant.class),
                row.get("last_seen_at", Instant.class),
                (ObjectNode) Json.mapper().readTree(Rows.text(row, "traits")),
                Rows.value(row, "engagement", Long.class),
                Rows.value(row, "removed", Boolean.class));
    }

    private static <T> String[] texts(Collection<T> parts, Function<T, String> text) {
        return parts.stream().map(text).toArray(String[]::new);
    }
}
