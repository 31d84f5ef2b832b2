package io.mirante.segmentation.profile;

import io.mirante.contracts.Json;
import io.mirante.segmentation.Rows;
import io.r2dbc.spi.Readable;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
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
            long visits,
            long engagement,
            boolean removed) {}

    /** With what the user did as a visitor; traits are those said of the user. */
    private static final String SELECT =
            """
            SELECT p.user_id, least(p.first_seen_at, v.first_seen_at) AS first_seen_at,
                greatest(p.last_seen_at, v.last_seen_at) AS last_seen_at, p.traits::text AS traits,
                (SELECT count(*) FROM unnest(p.visits + coalesce(v.visits, '{}'))) AS visits,
                p.engagement + coalesce(v.engagement, 0) AS engagement, p.removed
            FROM profile p LEFT JOIN LATERAL (
                SELECT min(o.first_seen_at) AS first_seen_at, max(o.last_seen_at) AS last_seen_at,
                    range_agg(o.visits) AS visits, sum(o.engagement)::bigint AS engagement
                FROM merged_visitor m JOIN visitor o USING (tenant_id, anonymous_id)
                WHERE m.tenant_id = p.tenant_id AND m.user_id = p.user_id) v ON true\
            """;

    /** Where the parts are kept; of users and of visitors alike. */
    private enum Kept {
        USERS("event_count", "client_session", "purchase_day", "user_id"),
        VISITORS("visitor_event_count", "visitor_session", "visitor_purchase_day", "anonymous_id");

        private final String events;
        private final String sessions;
        private final String purchases;
        private final String id;

        Kept(String events, String sessions, String purchases, String id) {
            this.events = events;
            this.sessions = sessions;
            this.purchases = purchases;
            this.id = id;
        }
    }

    /** Adds what a poll changed, in an order that two polls share. */
    Mono<Void> add(
            DatabaseClient db,
            Collection<ProfileChange> users,
            Collection<ProfileChange> visitors) {
        var buyers =
                Stream.concat(users.stream(), visitors.stream())
                        .filter(c -> !c.purchases.isEmpty())
                        .map(c -> c.tenant)
                        .toList();
        return (users.isEmpty() ? Mono.<Void>empty() : addUsers(db, users))
                .then(visitors.isEmpty() ? Mono.<Void>empty() : addVisitors(db, visitors))
                .then(buyers.isEmpty() ? Mono.<Void>empty() : moveRevision(db, buyers));
    }

    private static Mono<Void> addUsers(DatabaseClient db, Collection<ProfileChange> changes) {
        return addRows(db, changes)
                .then(addParts(db, changes, Kept.USERS))
                .then(
                        addPairs(
                                db,
                                changes,
                                c -> c.anonymousIds,
                                "INSERT INTO known_as (tenant_id, user_id, anonymous_id) SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"));
    }

    private static Mono<Void> addVisitors(DatabaseClient db, Collection<ProfileChange> changes) {
        return db.sql(
                        """
                        INSERT INTO visitor AS p
                          (tenant_id, anonymous_id, first_seen_at, last_seen_at, engagement, visits)
                        SELECT t, u, f, l, e, v::tstzmultirange
                        FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[],
                                    $6::text[]) AS n(t, u, f, l, e, v)
                        ON CONFLICT (tenant_id, anonymous_id) DO UPDATE
                        SET first_seen_at = least(p.first_seen_at, excluded.first_seen_at),
                            last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at),
                            engagement = p.engagement + excluded.engagement,
                            visits = p.visits + excluded.visits
                        """)
                .bind(0, texts(changes, c -> c.tenant))
                .bind(1, texts(changes, c -> c.user))
                .bind(2, texts(changes, c -> c.firstSeen.toString()))
                .bind(3, texts(changes, c -> c.lastSeen.toString()))
                .bind(4, changes.stream().map(c -> c.engagement).toArray(Long[]::new))
                .bind(5, texts(changes, ProfileChange::visits))
                .then()
                .then(addParts(db, changes, Kept.VISITORS));
    }

    private static Mono<Void> addParts(
            DatabaseClient db, Collection<ProfileChange> changes, Kept kept) {
        return addCounts(db, changes, kept)
                .then(
                        addPairs(
                                db,
                                changes,
                                c -> c.sessions,
                                "INSERT INTO %s (tenant_id, %s, session_id) SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"
                                        .formatted(kept.sessions, kept.id)))
                .then(addPurchases(db, changes, kept));
    }

    private static Mono<Void> addRows(DatabaseClient db, Collection<ProfileChange> changes) {
        return db.sql(
                        """
                        INSERT INTO profile AS p
                          (tenant_id, user_id, first_seen_at, last_seen_at, engagement, visits, traits, traits_at)
                        SELECT t, u, f, l, e, v::tstzmultirange, j::jsonb, a
                        FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[],
                                    $6::text[], $7::text[], $8::timestamptz[]) AS n(t, u, f, l, e, v, j, a)
                        ON CONFLICT (tenant_id, user_id) DO UPDATE
                        SET first_seen_at = least(p.first_seen_at, excluded.first_seen_at),
                            last_seen_at = greatest(p.last_seen_at, excluded.last_seen_at),
                            engagement = p.engagement + excluded.engagement,
                            visits = p.visits + excluded.visits,
                            traits = CASE WHEN excluded.traits_at >= p.traits_at THEN p.traits || excluded.traits
                                          ELSE excluded.traits || p.traits END,
                            traits_at = greatest(p.traits_at, excluded.traits_at)
                        """)
                .bind(0, texts(changes, c -> c.tenant))
                .bind(1, texts(changes, c -> c.user))
                .bind(2, texts(changes, c -> c.firstSeen.toString()))
                .bind(3, texts(changes, c -> c.lastSeen.toString()))
                .bind(4, changes.stream().map(c -> c.engagement).toArray(Long[]::new))
                .bind(5, texts(changes, ProfileChange::visits))
                .bind(6, texts(changes, c -> c.traits.toString()))
                .bind(
                        7,
                        texts(
                                changes,
                                c -> {
                                    var at = c.traitsAt;
                                    return at == null ? "-infinity" : at.toString();
                                }))
                .then();
    }

    private static Mono<Void> addCounts(
            DatabaseClient db, Collection<ProfileChange> changes, Kept kept) {
        var tenants = new ArrayList<String>();
        var users = new ArrayList<String>();
        var types = new ArrayList<String>();
        var counts = new ArrayList<Long>();
        for (var change : changes) {
            change.events.forEach((type, count) -> {
                tenants.add(change.tenant);
                users.add(change.user);
                types.add(type);
                counts.add(count);
            });
        }
        return db.sql(
                        "INSERT INTO %1$s AS c (tenant_id, %2$s, event_type, events) SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[]) ON CONFLICT (tenant_id, %2$s, event_type) DO UPDATE SET events = c.events + excluded.events"
                                .formatted(kept.events, kept.id))
                .bind(0, array(tenants))
                .bind(1, array(users))
                .bind(2, array(types))
                .bind(3, counts.toArray(Long[]::new))
                .then();
    }

    private static Mono<Void> addPairs(
            DatabaseClient db,
            Collection<ProfileChange> changes,
            Function<ProfileChange, Collection<String>> values,
            String sql) {
        var tenants = new ArrayList<String>();
        var users = new ArrayList<String>();
        var all = new ArrayList<String>();
        for (var change : changes) {
            for (var value : values.apply(change)) {
                tenants.add(change.tenant);
                users.add(change.user);
                all.add(value);
            }
        }
        return all.isEmpty()
                ? Mono.empty()
                : db.sql(sql)
                        .bind(0, array(tenants))
                        .bind(1, array(users))
                        .bind(2, array(all))
                        .then();
    }

    private static Mono<Void> addPurchases(
            DatabaseClient db, Collection<ProfileChange> changes, Kept kept) {
        var tenants = new ArrayList<String>();
        var users = new ArrayList<String>();
        var days = new ArrayList<String>();
        var currencies = new ArrayList<String>();
        var orders = new ArrayList<Long>();
        var amounts = new ArrayList<BigDecimal>();
        for (var change : changes) {
            change.purchases.forEach((key, day) -> {
                tenants.add(change.tenant);
                users.add(change.user);
                days.add(key.day().toString());
                currencies.add(key.currency());
                orders.add(day.orders());
                amounts.add(day.amount());
            });
        }
        return days.isEmpty()
                ? Mono.empty()
                : db.sql(
                                "INSERT INTO %1$s AS d (tenant_id, %2$s, day, currency, orders, amount) SELECT * FROM UNNEST($1::text[], $2::text[], $3::date[], $4::text[], $5::bigint[], $6::numeric[]) ON CONFLICT (tenant_id, %2$s, day, currency) DO UPDATE SET orders = d.orders + excluded.orders, amount = d.amount + excluded.amount"
                                        .formatted(kept.purchases, kept.id))
                        .bind(0, array(tenants))
                        .bind(1, array(users))
                        .bind(2, array(days))
                        .bind(3, array(currencies))
                        .bind(4, orders.toArray(Long[]::new))
                        .bind(
                                5,
                                amounts.stream()
                                        .map(BigDecimal::toPlainString)
                                        .toArray(String[]::new))
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

    /** Distinct session ids of the client's. */
    Mono<Long> clientSessions(DatabaseClient db, String tenant, String userId) {
        return db.sql(
                        """
                        SELECT count(*) AS n FROM (
                            SELECT session_id FROM client_session WHERE tenant_id = $1 AND user_id = $2
                            UNION
                            SELECT v.session_id
                            FROM merged_visitor m JOIN visitor_session v USING (tenant_id, anonymous_id)
                            WHERE m.tenant_id = $1 AND m.user_id = $2) s\
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
                Rows.value(row, "visits", Long.class),
                Rows.value(row, "engagement", Long.class),
                Rows.value(row, "removed", Boolean.class));
    }

    private static String[] texts(
            Collection<ProfileChange> changes, Function<ProfileChange, String> part) {
        return changes.stream().map(part).toArray(String[]::new);
    }

    private static String[] array(List<String> all) {
        return all.toArray(String[]::new);
    }
}
