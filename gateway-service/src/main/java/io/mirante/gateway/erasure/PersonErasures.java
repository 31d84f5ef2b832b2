package io.mirante.gateway.erasure;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.gateway.Rows;
import io.mirante.platform.jobs.Job;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.tenants.Tenants;
import io.r2dbc.spi.Readable;
import java.time.Clock;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;

/** Erasures under way and done, and the services' answers. Thread-safe. */
@Component
final class PersonErasures {

    static final String KIND = "erasure";

    private static final String COLUMNS =
            "tenant_id, user_hash, user_id, erasure_id, state, requested_at, erased_at, person_nos, revision";

    private final Jobs jobs;
    private final Tenants tenants;
    private final Clock clock;

    PersonErasures(Jobs jobs, Tenants tenants, Clock clock) {
        this.jobs = jobs;
        this.tenants = tenants;
        this.clock = clock;
    }

    /**
     * The job that erases a person: a new one, or the one under way.
     *
     * @param db a transaction of the tenant's
     */
    Mono<Job> request(String tenant, String userId, DatabaseClient db) {
        var hash = PersonErasure.hash(tenant, userId);
        var id = jobs.newId();
        return db.sql(
                        """
                        INSERT INTO erasure (tenant_id, user_hash, user_id, erasure_id, state, requested_at)
                        VALUES ($1, $2, $3, $4, 'requested', $5)
                        ON CONFLICT (tenant_id, user_hash) DO UPDATE SET user_id = excluded.user_id,
                            erasure_id = excluded.erasure_id, state = excluded.state,
                            requested_at = excluded.requested_at, revision = %s
                        WHERE erasure.state = 'completed'
                        RETURNING erasure_id\
                        """
                                .formatted(Publication.raised("erasure.revision")))
                .bind(0, tenant)
                .bind(1, hash)
                .bind(2, userId)
                .bind(3, id)
                .bind(4, clock.instant())
                .map(row -> Rows.text(row, "erasure_id"))
                .one()
                .flatMap(made ->
                        jobs.begin(
                                db,
                                made,
                                tenant,
                                KIND,
                                Json.mapper().createObjectNode().put("user_hash", hash)))
                .switchIfEmpty(
                        Mono.defer(() ->
                                db.sql(
                                                "SELECT erasure_id FROM erasure WHERE tenant_id = $1 AND user_hash = $2")
                                        .bind(0, tenant)
                                        .bind(1, hash)
                                        .map(row -> Rows.text(row, "erasure_id"))
                                        .one()
                                        .flatMap(running -> jobs.find(tenant, running))));
    }

    /** Enters the services' answers. A second copy changes nothing; one that is not the last gives the numbers alone. */
    private Mono<Void> gather(List<Received<PersonErased>> fresh, DatabaseClient db) {
        return Flux.fromIterable(fresh)
                .map(Received::value)
                .concatMap(answer ->
                        (answer.finished() ? enter(answer, db) : Mono.<Void>empty())
                                .then(moveOn(answer, db)))
                .then();
    }

    private static Mono<Void> enter(PersonErased answer, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO erasure_answer (tenant_id, erasure_id, service, erased_at, removed)
                        VALUES ($1, $2, $3, $4, $5::jsonb)
                        ON CONFLICT (tenant_id, erasure_id, service) DO NOTHING\
                        """)
                .bind(0, answer.tenantId())
                .bind(1, answer.erasureId())
                .bind(2, answer.service())
                .bind(3, answer.erasedAt())
                .bind(4, Json.mapper().writeValueAsString(answer.removed()))
                .then();
    }

    private Mono<Void> moveOn(PersonErased answer, DatabaseClient db) {
        return find(answer, db)
                .filter(erasure -> erasure.erasureId().equals(answer.erasureId()))
                .flatMap(erasure ->
                        answers(answer, db)
                                .flatMap(answers ->
                                        numbered(answer, erasure, db)
                                                .then(report(erasure, answers, db))));
    }

    private static Mono<PersonErasure> find(PersonErased answer, DatabaseClient db) {
        return db.sql(
                        "SELECT "
                                + COLUMNS
                                + " FROM erasure WHERE tenant_id = $1 AND user_hash = $2 FOR UPDATE")
                .bind(0, answer.tenantId())
                .bind(1, answer.userHash())
                .map(PersonErasures::read)
                .one();
    }

    private static Mono<List<Receipt.Part>> answers(PersonErased answer, DatabaseClient db) {
        return db.sql(
                        "SELECT service, erased_at, removed::text AS removed FROM erasure_answer WHERE tenant_id = $1 AND"
                                + " erasure_id = $2")
                .bind(0, answer.tenantId())
                .bind(1, answer.erasureId())
                .map(row ->
                        Receipt.Part.done(
                                Rows.text(row, "service"),
                                Rows.value(row, "erased_at", Instant.class),
                                Json.mapper()
                                        .readValue(
                                                Rows.text(row, "removed"),
                                                new TypeReference<
                                                        List<PersonErased.Removal>>() {})))
                .all()
                .collectList();
    }

    /** etl's answer says which numbers the others have to look for. */
    private static Mono<Void> numbered(
            PersonErased answer, PersonErasure erasure, DatabaseClient db) {
        if (!answer.service().equals(Receipt.FIRST)
                || !erasure.state().equals(PersonErasure.REQUESTED)) {
            return Mono.empty();
        }
        return db.sql(
                        """
                        UPDATE erasure SET state = 'numbered', erased_at = $3, revision = %s,
                            person_nos = ARRAY(SELECT DISTINCT n FROM unnest(person_nos || $4::bigint[]) n ORDER BY n)
                        WHERE tenant_id = $1 AND user_hash = $2\
                        """
                                .formatted(Publication.raised("revision")))
                .bind(0, answer.tenantId())
                .bind(1, answer.userHash())
                .bind(2, answer.erasedAt())
                .bind(3, answer.personNos().toArray(Long[]::new))
                .then();
    }

    private Mono<Void> report(
            PersonErasure erasure, List<Receipt.Part> answers, DatabaseClient db) {
        if (erasure.state().equals(PersonErasure.COMPLETED)) {
            return Mono.empty();
        }
        var receipt =
                Receipt.of(
                        erasure,
                        answers,
                        tenants.settings(erasure.tenantId()).retention(),
                        clock.instant());
        return (receipt.complete() ? forget(erasure, db) : Mono.<Void>empty())
                .then(
                        Jobs.report(
                                db,
                                erasure.erasureId(),
                                receipt.progress(),
                                receipt.summary(),
                                Json.mapper().valueToTree(receipt)));
    }

    private static Mono<Void> forget(PersonErasure erasure, DatabaseClient db) {
        return db.sql(
                        "UPDATE erasure SET state = 'completed', user_id = NULL, revision = "
                                + Publication.raised("revision")
                                + " WHERE tenant_id"
                                + " = $1 AND user_hash = $2")
                .bind(0, erasure.tenantId())
                .bind(1, erasure.userHash())
                .then();
    }

    private static PersonErasure read(Readable row) {
        return new PersonErasure(
                Rows.text(row, "tenant_id"),
                Rows.text(row, "user_hash"),
                row.get("user_id", String.class),
                Rows.text(row, "erasure_id"),
                Rows.text(row, "state"),
                Rows.value(row, "requested_at", Instant.class),
                row.get("erased_at", Instant.class),
                Arrays.asList(Objects.requireNonNull(row.get("person_nos", Long[].class))),
                Rows.value(row, "revision", Long.class));
    }

    private static Outgoing message(PersonErasure erasure) {
        return new Outgoing(
                Topics.ERASURES.name(),
                null,
                Keys.of(erasure.tenantId(), erasure.userHash()),
                Json.mapper().writeValueAsBytes(erasure),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        erasure.erasureId() + "@" + erasure.revision(),
                        CloudHeaders.TYPE,
                        "person_erasure",
                        CloudHeaders.SOURCE,
                        "/gateway",
                        CloudHeaders.TIME,
                        erasure.requestedAt().toString(),
                        CloudHeaders.TENANT,
                        erasure.tenantId(),
                        CloudHeaders.REVISION,
                        Long.toString(erasure.revision())));
    }

    /** Where orders go out and answers come in. */
    @Configuration(proxyBeanMethods = false)
    static class Binding {

        @Bean
        Consumer<Message<List<byte[]>>> gatherErasures(
                BatchRunner runner, PersonErasures erasures) {
            return runner.storing(
                    "gatherErasures", Parser.json(PersonErased.class), erasures::gather);
        }

        @Bean
        Publication erasurePublication() {
            return new Publication(
                    "erasure",
                    List.of("tenant_id", "user_hash"),
                    "SELECT "
                            + COLUMNS
                            + " FROM erasure WHERE revision > published_revision ORDER BY tenant_id, user_hash LIMIT 1000",
                    row -> message(read(row)));
        }
    }
}
