package io.mirante.etl.log;

import io.mirante.contracts.etl.PersonMerge;
import io.mirante.etl.features.ChangedUsers;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code /api/v1/users/{id}/identities}: the ids a person goes by, and how they came together. */
@RestController
@RequestMapping("/api/v1/users/{id}/identities")
class IdentitiesController {

    /** Anonymous ids shown at most, by name, and merges, newest first. */
    private static final int MAX_SHOWN = 100;

    private final TenantDatabase database;
    private final PersonMerges merges;
    private final ChangedUsers changedUsers;

    IdentitiesController(TenantDatabase database, PersonMerges merges, ChangedUsers changedUsers) {
        this.database = database;
        this.merges = merges;
        this.changedUsers = changedUsers;
    }

    /**
     * The user's own id, then the anonymous ids merged into the user or sent with the user's own.
     *
     * @param merges the newest {@value #MAX_SHOWN}, refused and undone ones too
     */
    record Identities(String userId, long personNo, List<Identity> identities, List<Merge> merges) {
        Identities {
            identities = List.copyOf(identities);
            merges = List.copyOf(merges);
        }
    }

    /**
     * One id.
     *
     * @param personNo the number it has itself; null for an anonymous id never seen without the user
     */
    record Identity(String kind, String id, @Nullable Long personNo) {}

    /**
     * What was said about two persons, and what became of it.
     *
     * @param state {@code merged}, {@code refused} or {@code undone}
     * @param reason of a refusal: {@code two_known_people}: the id goes by another user or is one; {@code too_many_ids}:
     *     more within an hour than one person has
     * @param rule {@code identify} or {@code alias}
     * @param kind of {@code id}: {@code anonymous} or {@code user}
     * @param id the id that goes by the user, or was to
     * @param userId the user
     * @param eventId the event that said so
     * @param occurredAt that event's own time
     * @param undoneBy who undid it, as in the audit log
     */
    record Merge(
            String mergeId,
            String state,
            @Nullable String reason,
            String rule,
            String kind,
            String id,
            String userId,
            String eventId,
            Instant occurredAt,
            Instant recordedAt,
            @Nullable Instant undoneAt,
            @Nullable String undoneBy) {

        static Merge of(PersonMerge merge) {
            return new Merge(
                    merge.mergeId(),
                    merge.state(),
                    merge.reason(),
                    merge.rule(),
                    merge.kind(),
                    merge.id(),
                    merge.userId(),
                    merge.eventId(),
                    merge.occurredAt(),
                    merge.recordedAt(),
                    merge.undoneAt(),
                    merge.undoneBy());
        }
    }

    @GetMapping
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    @Operation(
            summary = "The ids a person goes by, and how they came together",
            description =
                    "At most 100 anonymous ids, by name, and the 100 newest entries of the ledger of merges.")
    Mono<Identities> show(@PathVariable String id, Caller caller) {
        var tenant = caller.tenant();
        return database.one(
                        tenant,
                        db ->
                                number(tenant, id, db)
                                        .flatMap(no ->
                                                anonymous(tenant, no, db)
                                                        .startWith(
                                                                new Identity(Person.USER, id, no))
                                                        .collectList()
                                                        .zipWhen(ids -> ledger(tenant, no, db))
                                                        .map(both ->
                                                                new Identities(
                                                                        id,
                                                                        no,
                                                                        both.getT1(),
                                                                        both.getT2()))))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("user " + id)));
    }

    @PostMapping("/{merge_id}/undo")
    @PreAuthorize(Scopes.ADMIN)
    @Operation(
            summary = "Take a merge apart",
            description =
                    "The two are apart again everywhere within seconds, with all their events, and stay so when the same"
                            + " is said again. Undoing twice changes nothing. 409 when the merge was refused.")
    Mono<Merge> undo(
            @PathVariable String id, @PathVariable("merge_id") String mergeId, Caller caller) {
        return database.one(
                        caller.tenant(),
                        db ->
                                merges.hold(caller.tenant(), id, mergeId, db)
                                        .flatMap(held -> undo(held, caller, db)))
                .map(Merge::of)
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.notFound("merge " + mergeId + " of user " + id)));
    }

    private Mono<PersonMerge> undo(PersonMerge held, Caller caller, DatabaseClient db) {
        return switch (held.state()) {
            case PersonMerge.UNDONE -> Mono.just(held);
            case PersonMerge.REFUSED ->
                    Mono.error(
                            ProblemException.conflict(
                                    "not_merged",
                                    "the two were never merged (%s): there is nothing to undo"
                                            .formatted(held.reason())));
            default ->
                    merges.undo(held, caller.subject(), db)
                            .flatMap(undone ->
                                    changedUsers
                                            .mark(List.of(PersonMerges.changeOf(undone)), db)
                                            .thenReturn(undone));
        };
    }

    private static Mono<Long> number(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        "SELECT person_no FROM person WHERE tenant_id = $1 AND kind = 'user' AND id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    private Mono<List<Merge>> ledger(String tenant, long personNo, DatabaseClient db) {
        return merges.of(tenant, personNo, MAX_SHOWN, db).map(Merge::of).collectList();
    }

    /** An id sent with the user's own is left out where the ledger says that it is not the user's. */
    private static Flux<Identity> anonymous(String tenant, long personNo, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT i.id, p.person_no
                        FROM (SELECT id FROM person_merge
                              WHERE tenant_id = $1 AND user_no = $2 AND kind = 'anonymous' AND state = 'merged'
                              UNION
                              SELECT e.anonymous_id FROM analytics_event e
                              WHERE e.tenant_id = $1 AND e.person_no = $2 AND e.anonymous_id IS NOT NULL
                                  AND NOT EXISTS (
                                      SELECT 1 FROM person_merge m
                                      WHERE m.tenant_id = $1 AND m.kind = 'anonymous' AND m.id = e.anonymous_id
                                          AND (m.user_no = $2) <> (m.state = 'merged'))
                              ORDER BY 1 LIMIT $3) i
                        LEFT JOIN person p ON p.tenant_id = $1 AND p.kind = 'anonymous' AND p.id = i.id
                        ORDER BY i.id\
                        """)
                .bind(0, tenant)
                .bind(1, personNo)
                .bind(2, MAX_SHOWN)
                .map(row ->
                        new Identity(
                                Person.ANONYMOUS,
                                Objects.requireNonNull(row.get(0, String.class)),
                                row.get(1, Long.class)))
                .all();
    }
}
