package io.mirante.gateway.tenants;

import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.gateway.audit.AuditLog;
import io.mirante.gateway.keys.Reach;
import io.mirante.platform.messaging.TenantTopics;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Tenants: list, create, read, change. */
@RestController
@RequestMapping("/api/v1/admin/tenants")
class TenantController {

    private static final Duration TOPIC_LIMIT = Duration.ofSeconds(5);

    private final TenantDatabase database;
    private final TenantStore tenants;
    private final TenantTopics topics;
    private final AuditLog audit;
    private final SecureRandom random = new SecureRandom();

    TenantController(
            TenantDatabase database, TenantStore tenants, TenantTopics topics, AuditLog audit) {
        this.database = database;
        this.tenants = tenants;
        this.topics = topics;
        this.audit = audit;
    }

    @GetMapping
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Tenants by id",
            description = "With scope platform all of them, with scope admin the own one.")
    Mono<Page<Tenant>> list(Caller caller, Paging paging) {
        var after = paging.after();
        if (Reach.everywhere(caller)) {
            return tenants.list(after == null ? "" : after, paging.limit() + 1)
                    .map(rows -> Page.of(rows, paging.limit(), t -> t.settings().id()));
        }
        return database.one(caller.tenant(), db -> TenantStore.find(db, caller.tenant()))
                .map(own -> new Page<>(List.of(own), null));
    }

    @PostMapping
    @PreAuthorize(Scopes.PLATFORM)
    @Operation(
            summary = "Creates a tenant",
            description =
                    "name is required, id is optional (made from the name); every setting of PATCH is accepted.")
    Mono<ResponseEntity<Tenant>> create(
            Caller caller, @RequestBody JsonNode body, ServerWebExchange exchange) {
        if (!(body instanceof ObjectNode object)) {
            throw ProblemException.malformed("", "wrong_type", "the body must be a JSON object");
        }
        var given = object.deepCopy();
        var id = given.remove("id");
        var patch = SettingsPatch.of(given);
        if (!given.path("name").isString()) {
            throw ProblemException.malformed("/name", "required", "name must be a text");
        }
        if (id == null || id.isNull()) {
            var made = SettingsPatch.idOf(given.path("name").stringValue());
            return add(caller, settings(patch, made), exchange)
                    .switchIfEmpty(
                            Mono.defer(() ->
                                    add(caller, settings(patch, made + "-" + tail()), exchange)))
                    .map(TenantController::created);
        }
        if (!id.isString() || !id.stringValue().matches("[A-Za-z0-9_-]{1,64}")) {
            throw ProblemException.malformed(
                    "/id", "invalid", "id must be 1 to 64 letters, digits, - and _");
        }
        return add(caller, settings(patch, id.stringValue()), exchange)
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.conflict(
                                        "tenant-exists",
                                        "there is a tenant %s already; choose another id"
                                                .formatted(id.stringValue()))))
                .map(TenantController::created);
    }

    private static TenantSettings settings(SettingsPatch patch, String id) {
        return patch.applyTo(TenantSettings.defaults(id));
    }

    private Mono<Tenant> add(Caller caller, TenantSettings settings, ServerWebExchange exchange) {
        var id = settings.id();
        return database.one(
                id,
                db ->
                        TenantStore.add(db, settings)
                                .delayUntil(made ->
                                        audit.act(
                                                db,
                                                id,
                                                caller,
                                                exchange,
                                                HttpStatus.CREATED,
                                                "tenant.created",
                                                id,
                                                null))
                                .delayUntil(made -> topicOf(id)));
    }

    /** The topic of the tenant's own producers; without it there is no tenant. */
    private Mono<Void> topicOf(String tenant) {
        return topics.create(tenant)
                .timeout(TOPIC_LIMIT)
                .onErrorMap(
                        e -> e instanceof KafkaException || e instanceof TimeoutException,
                        e ->
                                ProblemException.unavailable(
                                        "Kafka does not make the tenant's topic at the moment; nothing was"
                                                + " created, send it again",
                                        Duration.ofSeconds(5)));
    }

    private String tail() {
        var bytes = new byte[3];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    @GetMapping("/{id}")
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(summary = "A tenant", description = "The ETag is its revision, for If-Match.")
    Mono<ResponseEntity<Tenant>> get(Caller caller, @PathVariable String id) {
        var tenant = Reach.tenant(caller, id);
        return database.one(tenant, db -> TenantStore.find(db, tenant))
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("tenant " + id)))
                .map(found -> withTag(ResponseEntity.ok(), found));
    }

    @PatchMapping("/{id}")
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Changes settings",
            description =
                    "JSON Merge Patch (RFC 7396): what is named is changed, null takes a setting back to its default, a"
                            + " list is replaced. limits need scope platform. With If-Match: 412 when somebody else"
                            + " was faster. In force in every service within five seconds.")
    Mono<ResponseEntity<Tenant>> change(
            Caller caller,
            @PathVariable String id,
            @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String ifMatch,
            @RequestBody JsonNode body,
            ServerWebExchange exchange) {
        var tenant = Reach.tenant(caller, id);
        var patch = SettingsPatch.of(body);
        if (patch.names("limits") && !Reach.everywhere(caller)) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "missing-scope",
                    "limits are changed with scope platform; ask who runs this installation");
        }
        return database.one(
                        tenant,
                        db ->
                                TenantStore.lock(db, tenant)
                                        .switchIfEmpty(
                                                Mono.error(() ->
                                                        ProblemException.notFound("tenant " + id)))
                                        .doOnNext(before -> check(ifMatch, before))
                                        .flatMap(before -> {
                                            var after = patch.applyTo(before.settings());
                                            var changed =
                                                    SettingsPatch.changed(before.settings(), after);
                                            return changed.isEmpty()
                                                    ? Mono.just(before)
                                                    : TenantStore.change(db, after)
                                                            .delayUntil(now ->
                                                                    audit.act(
                                                                            db,
                                                                            tenant,
                                                                            caller,
                                                                            exchange,
                                                                            HttpStatus.OK,
                                                                            "tenant.changed",
                                                                            tenant,
                                                                            String.join(
                                                                                    ", ",
                                                                                    changed)));
                                        }))
                .map(now -> withTag(ResponseEntity.ok(), now));
    }

    private static void check(@Nullable String ifMatch, Tenant before) {
        if (ifMatch == null || ifMatch.strip().equals("*")) {
            return;
        }
        for (var tag : ifMatch.split(",")) {
            if (tag.strip().equals(tag(before))) {
                return;
            }
        }
        throw ProblemException.of(
                HttpStatus.PRECONDITION_FAILED,
                "changed-meanwhile",
                "the tenant is at %s now; read it again and repeat the change"
                        .formatted(tag(before)));
    }

    private static ResponseEntity<Tenant> created(Tenant tenant) {
        return withTag(
                ResponseEntity.created(
                        URI.create("/api/v1/admin/tenants/" + tenant.settings().id())),
                tenant);
    }

    private static ResponseEntity<Tenant> withTag(ResponseEntity.BodyBuilder answer, Tenant t) {
        return answer.eTag(tag(t)).body(t);
    }

    private static String tag(Tenant tenant) {
        return "\"" + tenant.settings().revision() + "\"";
    }
}
