package io.mirante.platform.erasure;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.platform.messaging.EventSender;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Received;
import io.r2dbc.spi.Readable;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/**
 * Erases persons in this service, each in the transaction that advances the position. It first enters the person into the
 * suppression list, then waits for the polls of all consumers and holds them: a poll that was applied before is erased
 * with the rest, one that comes after sees the list. What takes longer is left to {@link FinishErasures}, and the answer says so.
 */
final class ErasePersons {

    private static final Logger LOG = LoggerFactory.getLogger(ErasePersons.class);

    private final String service;
    private final ErasePerson eraser;
    private final Erasures erasures;
    private final EventSender sender;
    private final Clock clock;

    ErasePersons(
            String service,
            ErasePerson eraser,
            Erasures erasures,
            EventSender sender,
            Clock clock) {
        this.service = service;
        this.eraser = eraser;
        this.erasures = erasures;
        this.sender = sender;
        this.clock = clock;
    }

    Mono<Void> store(List<Received<PersonErasure>> fresh, DatabaseClient db) {
        return Flux.fromIterable(fresh)
                .map(Received::value)
                .concatMap(erasure -> {
                    erasures.learn(erasure);
                    return eraser.goesFirst() || !erasure.state().equals(PersonErasure.REQUESTED)
                            ? unlessDone(erasure, db)
                            : Mono.empty();
                })
                .then();
    }

    private Mono<Void> unlessDone(PersonErasure erasure, DatabaseClient db) {
        return db.sql(
                        "SELECT count(*) FROM person_erasure WHERE tenant_id = $1 AND user_hash = $2 AND erasure_id = $3")
                .bind(0, erasure.tenantId())
                .bind(1, erasure.userHash())
                .bind(2, erasure.erasureId())
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one()
                .flatMap(done -> done > 0 ? Mono.empty() : erase(erasure, db));
    }

    private Mono<Void> erase(PersonErasure erasure, DatabaseClient db) {
        var now = clock.instant();
        var before = erasure.erasedAt();
        var at = before == null || erasure.state().equals(PersonErasure.REQUESTED) ? now : before;
        erasures.learn(erasure.erased(at, erasure.personNos()));
        return holdConsumers(db)
                .then(userId(erasure, db))
                .map(userId ->
                        new ErasePerson.Target(erasure.tenantId(), userId, erasure.personNos()))
                .flatMap(person ->
                        eraser.erase(person, db)
                                .flatMap(erased ->
                                        sender.sendAll(erased.tombstones())
                                                .then(answer(erasure, at, person, erased, db))))
                .doOnSuccess(done ->
                        LOG.atInfo()
                                .addKeyValue("tenant_id", erasure.tenantId())
                                .log("erased person of erasure {}", erasure.erasureId()));
    }

    /** No consumer is in the middle of a poll from here on, and none begins before the transaction ends. */
    private static Mono<Void> holdConsumers(DatabaseClient db) {
        return db.sql(
                        "SELECT 1 FROM consumer_position ORDER BY consumer, topic, partition_no FOR UPDATE")
                .then();
    }

    /** As the record says; else by the hash from what is held here, as after a restore; else empty. */
    private Mono<String> userId(PersonErasure erasure, DatabaseClient db) {
        var named = erasure.userId();
        if (named != null) {
            return Mono.just(named);
        }
        return Flux.fromIterable(eraser.userColumns())
                .concatMap(place -> {
                    int dot = place.lastIndexOf('.');
                    var column = place.substring(dot + 1);
                    return db.sql(
                                    """
                                    SELECT %1$s FROM %2$s WHERE tenant_id = $1 AND
                                    encode(sha256(convert_to($1 || chr(10) || %1$s, 'UTF8')), 'hex') = $2 LIMIT 1\
                                    """
                                            .formatted(column, place.substring(0, dot)))
                            .bind(0, erasure.tenantId())
                            .bind(1, erasure.userHash())
                            .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                            .one();
                })
                .next()
                .defaultIfEmpty("");
    }

    private static Mono<Void> answer(
            PersonErasure erasure,
            Instant at,
            ErasePerson.Target person,
            ErasePerson.Erased erased,
            DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO person_erasure (tenant_id, user_hash, erasure_id, erased_at, removed, person_nos, user_id)
                        VALUES ($1, $2, $3, $4, $5::jsonb, $6, nullif($7, ''))
                        ON CONFLICT (tenant_id, user_hash) DO UPDATE SET erasure_id = excluded.erasure_id,
                            erased_at = excluded.erased_at, removed = excluded.removed,
                            person_nos = excluded.person_nos, user_id = excluded.user_id, finished_at = now(),
                            lease_owner = NULL, lease_until = NULL, revision = person_erasure.revision + 1\
                        """)
                .bind(0, erasure.tenantId())
                .bind(1, erasure.userHash())
                .bind(2, erasure.erasureId())
                .bind(3, at)
                .bind(4, Json.mapper().writeValueAsString(erased.removed()))
                .bind(5, erased.personNos().toArray(Long[]::new))
                .bind(6, person.userId())
                .then();
    }

    /** A row of {@code person_erasure} as it stands on {@code mirante.erasures.done}. */
    Outgoing message(Readable row) {
        var erased =
                new PersonErased(
                        text(row, "tenant_id"),
                        text(row, "user_hash"),
                        text(row, "erasure_id"),
                        service,
                        Objects.requireNonNull(row.get("erased_at", Instant.class)),
                        Json.mapper()
                                .readValue(
                                        text(row, "removed"),
                                        new TypeReference<List<PersonErased.Removal>>() {}),
                        Arrays.asList(Objects.requireNonNull(row.get("person_nos", Long[].class))),
                        Objects.requireNonNull(row.get("unfinished", Boolean.class)));
        return new Outgoing(
                Topics.ERASURES_DONE.name(),
                null,
                Keys.of(erased.tenantId(), erased.userHash()),
                Json.mapper().writeValueAsBytes(erased),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        service + ":" + erased.erasureId(),
                        CloudHeaders.TYPE,
                        "person_erased",
                        CloudHeaders.SOURCE,
                        "/" + service,
                        CloudHeaders.TIME,
                        erased.erasedAt().toString(),
                        CloudHeaders.TENANT,
                        erased.tenantId()));
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }
}
