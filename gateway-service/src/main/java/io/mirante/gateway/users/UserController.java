package io.mirante.gateway.users;

import io.mirante.gateway.audit.AuditLog;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.keys.OrgUnits;
import io.mirante.gateway.keys.Reach;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** People: list, let in, let out. */
@RestController
@RequestMapping("/api/v1/admin/users")
class UserController {

    private final TenantDatabase database;
    private final PersonStore people;
    private final Door door;
    private final AuditLog audit;

    UserController(TenantDatabase database, PersonStore people, Door door, AuditLog audit) {
        this.database = database;
        this.people = people;
        this.door = door;
        this.audit = audit;
    }

    @GetMapping
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(summary = "A tenant's people by id")
    Mono<Page<Person>> list(
            Caller caller,
            Paging paging,
            @RequestParam(name = "tenant_id", required = false) @Nullable String tenantId) {
        var tenant = Reach.tenant(caller, tenantId);
        var after = paging.after() == null ? "" : paging.after();
        return database.one(tenant, db -> PersonStore.list(db, tenant, after, paging.limit() + 1))
                .map(rows -> Page.of(rows, paging.limit(), Person::id));
    }

    @PostMapping
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Lets a person in",
            description =
                    "They sign in at the OpenID provider (OIDC_ISSUER) and send its token as Bearer."
                            + " The first sign-in is recognised by the verified e-mail, later ones by the"
                            + " provider's subject. Roles: producer, viewer, analyst, admin, platform. To"
                            + " change somebody's roles let them out and in again.")
    Mono<ResponseEntity<Person>> add(
            Caller caller, @RequestBody PersonForm form, ServerWebExchange exchange) {
        var tenant = Reach.tenant(caller, form.tenantId());
        form.check(caller);
        return database.one(tenant, db -> add(db, tenant, caller, form, exchange))
                .map(made ->
                        ResponseEntity.created(URI.create("/api/v1/admin/users/" + made.id()))
                                .body(made));
    }

    private Mono<Person> add(
            DatabaseClient db,
            String tenant,
            Caller caller,
            PersonForm form,
            ServerWebExchange exchange) {
        return known(db, tenant)
                .then(Mono.defer(() -> PersonStore.add(db, tenant, form, caller.subject())))
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.conflict(
                                        "user-exists",
                                        "this e-mail or subject has been let in already")))
                .delayUntil(made ->
                        audit.act(
                                db,
                                tenant,
                                caller,
                                exchange,
                                HttpStatus.CREATED,
                                "user.created",
                                made.id(),
                                String.join(
                                        ", ", made.roles().stream().map(Role::wireName).toList())));
    }

    private static Mono<Void> known(DatabaseClient db, String tenant) {
        return db.sql("SELECT 1 FROM tenant WHERE tenant_id = $1")
                .bind(0, tenant)
                .fetch()
                .first()
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.malformed(
                                        "/tenant_id",
                                        "unknown",
                                        "there is no tenant %s".formatted(tenant))))
                .then();
    }

    @DeleteMapping("/{id}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(summary = "Lets a person out", description = "In force within five seconds.")
    Mono<Void> remove(Caller caller, @PathVariable String id, ServerWebExchange exchange) {
        return (Reach.everywhere(caller)
                        ? people.tenantOf(id).defaultIfEmpty(caller.tenant())
                        : Mono.just(caller.tenant()))
                .flatMap(tenant ->
                        database.one(tenant, db -> remove(db, tenant, caller, id, exchange)))
                .doOnNext(door::changed)
                .then();
    }

    private Mono<String> remove(
            DatabaseClient db,
            String tenant,
            Caller caller,
            String id,
            ServerWebExchange exchange) {
        return PersonStore.lock(db, tenant, id)
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("user " + id)))
                .doOnNext(found -> check(caller, found))
                .then(Mono.defer(() -> PersonStore.remove(db, tenant, id)))
                .then(
                        Mono.defer(() ->
                                audit.act(
                                        db,
                                        tenant,
                                        caller,
                                        exchange,
                                        HttpStatus.NO_CONTENT,
                                        "user.removed",
                                        id,
                                        null)))
                .thenReturn(id);
    }

    private static void check(Caller caller, Person person) {
        if (person.roles().contains(Role.PLATFORM) && !Reach.everywhere(caller)) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "missing-scope",
                    "somebody with role platform is let out by who has scope platform");
        }
        OrgUnits.requireWithin(caller, person.limitedTo());
    }
}
