package io.mirante.etl.log;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code GET /api/v1/users/{id}/identities}: the ids a person goes by. */
@RestController
class IdentitiesController {

    /** Anonymous ids shown at most, by name. */
    private static final int MAX_SHOWN = 100;

    private final TenantDatabase database;

    IdentitiesController(TenantDatabase database) {
        this.database = database;
    }

    /** The user's own id, then the anonymous ids its events also carried. */
    record Identities(String userId, long personNo, List<Identity> identities) {}

    /**
     * One id.
     *
     * @param personNo the number it has itself; null for an anonymous id never seen without the user
     */
    record Identity(String kind, String id, @Nullable Long personNo) {}

    @GetMapping("/api/v1/users/{id}/identities")
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Identities> show(@PathVariable String id, Caller caller) {
        return database.one(
                        caller.tenant(),
                        db ->
                                number(caller.tenant(), id, db)
                                        .flatMap(no ->
                                                anonymous(caller.tenant(), no, db)
                                                        .startWith(
                                                                new Identity(Person.USER, id, no))
                                                        .collectList()
                                                        .map(all -> new Identities(id, no, all))))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("user " + id)));
    }

    private static Mono<Long> number(String tenant, String id, DatabaseClient db) {
        return db.sql(
                        "SELECT person_no FROM person WHERE tenant_id = $1 AND kind = 'user' AND id = $2")
                .bind(0, tenant)
                .bind(1, id)
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    private static Flux<Identity> anonymous(String tenant, long personNo, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT e.anonymous_id, p.person_no
                        FROM (SELECT DISTINCT anonymous_id FROM analytics_event
                              WHERE tenant_id = $1 AND person_no = $2 AND anonymous_id IS NOT NULL
                              ORDER BY anonymous_id LIMIT $3) e
                        LEFT JOIN person p ON p.tenant_id = $1 AND p.kind = 'anonymous' AND p.id = e.anonymous_id
                        ORDER BY e.anonymous_id\
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
