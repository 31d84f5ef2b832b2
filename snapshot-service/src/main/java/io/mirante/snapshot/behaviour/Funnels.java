package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.snapshot.lake.LakeReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Funnels that were asked, and their answers from stored events. Thread-safe. */
@Component
final class Funnels {

    private final TenantDatabase database;
    private final LakeReader lake;
    private final PersonWalks walks;

    Funnels(TenantDatabase database, LakeReader lake, PersonWalks walks) {
        this.database = database;
        this.lake = lake;
        this.walks = walks;
    }

    /** A person in a funnel. */
    record Person(long personNo, @Nullable String userId, @Nullable String anonymousId) {}

    /**
     * Keeps the definition.
     *
     * @return its id, the same for the same definition
     */
    Mono<String> keep(String tenant, FunnelRequest request) {
        var definition = Json.mapper().writeValueAsString(request);
        var id = "fun_" + hash(definition);
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        "INSERT INTO funnel (tenant_id, funnel_id, definition) VALUES ($1, $2,"
                                                + " $3::jsonb) ON CONFLICT DO NOTHING")
                                .bind(0, tenant)
                                .bind(1, id)
                                .bind(2, definition)
                                .then()
                                .thenReturn(id));
    }

    private static String hash(String text) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of()
                    .formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** The funnel of an id; empty when the tenant has none of it. */
    Mono<Funnel> find(String tenant, String id) {
        return database.one(
                        tenant,
                        db ->
                                db.sql("SELECT definition::text FROM funnel WHERE funnel_id = $1")
                                        .bind(0, id)
                                        .map(row ->
                                                Objects.requireNonNull(row.get(0, String.class)))
                                        .one())
                .map(text -> Json.mapper().readValue(text, FunnelRequest.class).toFunnel());
    }

    /** How many persons reached each step, and how long they took. */
    Mono<FunnelRun.Result> answer(String tenant, Funnel funnel) {
        return walk(tenant, funnel, 0, null).map(FunnelRun::finish);
    }

    /** Persons who reached a step, or were lost before it, by number; at most {@code limit}. */
    Mono<List<Person>> people(
            String tenant, Funnel funnel, int step, boolean dropped, long afterPerson, int limit) {
        return walk(
                        tenant,
                        funnel.whole(),
                        afterPerson,
                        () -> new FunnelRun.Listing(step, dropped, limit))
                .flatMap(run -> names(tenant, run.listed()));
    }

    /** Walks over persons; {@code listings} gives a new listing for each try, null = nobody is listed. */
    private Mono<FunnelRun> walk(
            String tenant,
            Funnel funnel,
            long afterPerson,
            @Nullable Supplier<FunnelRun.Listing> listings) {
        return MergedPersons.read(tenant, database)
                .flatMap(merged ->
                        lake.ask(() -> {
                            var events = new FunnelEvents(funnel);
                            return walks.walk(
                                    tenant,
                                    funnel.scan(),
                                    merged,
                                    afterPerson,
                                    events,
                                    () ->
                                            new FunnelRun(
                                                    funnel,
                                                    events,
                                                    listings == null ? null : listings.get()));
                        }));
    }

    private Mono<List<Person>> names(String tenant, List<Long> persons) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        "SELECT person_no, user_id, anonymous_id FROM person WHERE person_no = ANY($1)"
                                                + " ORDER BY person_no")
                                .bind(0, persons.toArray(Long[]::new))
                                .map(row ->
                                        new Person(
                                                Objects.requireNonNull(row.get(0, Long.class)),
                                                row.get(1, String.class),
                                                row.get(2, String.class)))
                                .all()
                                .collectList());
    }
}
