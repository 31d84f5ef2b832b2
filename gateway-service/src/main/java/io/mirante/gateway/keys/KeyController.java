package io.mirante.gateway.keys;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.mirante.gateway.audit.AuditLog;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.http.CacheControl;
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

/** Keys: list, make, rotate, revoke. A key itself is in one answer only: the one that made it. */
@RestController
@RequestMapping("/api/v1/admin/keys")
class KeyController {

    private static final long MAX_KEYS = 1_000;
    private static final Duration LONGEST_GRACE = Duration.ofDays(30);

    private final TenantDatabase database;
    private final ApiKeys keys;
    private final Door door;
    private final AuditLog audit;
    private final Tenants tenants;
    private final KeySettings settings;
    private final Clock clock;
    private final SecureRandom random = new SecureRandom();

    KeyController(
            TenantDatabase database,
            ApiKeys keys,
            Door door,
            AuditLog audit,
            Tenants tenants,
            KeySettings settings,
            Clock clock) {
        this.database = database;
        this.keys = keys;
        this.door = door;
        this.audit = audit;
        this.tenants = tenants;
        this.settings = settings;
        this.clock = clock;
    }

    /**
     * A key with its secret, shown this once.
     *
     * @param key {@code mrt_<env>_<key id>_<secret>_<checksum>}
     */
    record Made(String key, @JsonUnwrapped KeyView view) {
        @Override
        public String toString() {
            return "Made[" + view + "]";
        }
    }

    /**
     * How to rotate.
     *
     * @param grace ISO 8601 duration for which the secret before goes on, up to P30D; null = the installation's, PT24H
     */
    record Rotation(@Nullable Duration grace) {}

    @GetMapping
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(summary = "A tenant's keys by id, without their secrets")
    Mono<Page<KeyView>> list(
            Caller caller,
            Paging paging,
            @RequestParam(name = "tenant_id", required = false) @Nullable String tenantId) {
        var tenant = Reach.tenant(caller, tenantId);
        var after = paging.after() == null ? "" : paging.after();
        return database.one(tenant, db -> KeyStore.list(db, tenant, after, paging.limit() + 1))
                .map(rows -> Page.of(rows, paging.limit(), KeyView::id));
    }

    @PostMapping
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Makes a key",
            description =
                    "The key is in this answer and nowhere else afterwards. Nobody can give scope platform, a higher rate"
                            + " limit or org units that they do not have themselves.")
    Mono<ResponseEntity<Made>> make(
            Caller caller, @RequestBody KeyForm form, ServerWebExchange exchange) {
        var tenant = Reach.tenant(caller, form.tenantId());
        form.check(caller, clock.instant(), maxRateLimit(tenant));
        var key = KeyText.make(settings.environment(), random);
        return database.one(
                        tenant,
                        db ->
                                roomFor(db, tenant)
                                        .then(KeyStore.add(db, tenant, form, key, caller.subject()))
                                        .delayUntil(made ->
                                                audit.act(
                                                        db,
                                                        tenant,
                                                        caller,
                                                        exchange,
                                                        HttpStatus.CREATED,
                                                        "key.created",
                                                        made.id(),
                                                        String.join(", ", made.scopes()))))
                .map(made ->
                        secret(
                                ResponseEntity.created(
                                        URI.create("/api/v1/admin/keys/" + made.id())),
                                key,
                                made));
    }

    private int maxRateLimit(String tenant) {
        var own = tenants.settings(tenant).limits().requestsPerMinute();
        return own == null ? settings.maxRateLimit() : own == 0 ? Integer.MAX_VALUE : own;
    }

    /** The tenant must be there, and have less than a thousand keys. */
    private static Mono<Void> roomFor(DatabaseClient db, String tenant) {
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
                .then(KeyStore.count(db, tenant))
                .flatMap(count ->
                        count < MAX_KEYS
                                ? Mono.empty()
                                : Mono.error(
                                        ProblemException.impossible(
                                                "too-many-keys",
                                                "a tenant has at most %d keys; revoke some"
                                                        .formatted(MAX_KEYS))));
    }

    @PostMapping("/{id}/rotate")
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Gives a key another secret",
            description =
                    "Both secrets are good until the grace is over (default PT24H, PT0S ends the old one now, at most"
                            + " P30D). Id, scopes and limits stay.")
    Mono<ResponseEntity<Made>> rotate(
            Caller caller,
            @PathVariable String id,
            @RequestBody(required = false) @Nullable Rotation rotation,
            ServerWebExchange exchange) {
        var asked = rotation == null ? null : rotation.grace();
        var grace = asked == null ? settings.rotationGrace() : asked;
        if (grace.isNegative() || grace.compareTo(LONGEST_GRACE) > 0) {
            throw ProblemException.malformed(
                    "/grace", "out_of_range", "grace must be from PT0S to P30D, was " + grace);
        }
        var key = new KeyText(settings.environment(), id, "").rotated(random);
        return tenantOf(caller, id)
                .flatMap(tenant ->
                        database.one(
                                tenant,
                                db ->
                                        find(db, tenant, id)
                                                .doOnNext(found -> check(caller, found))
                                                .then(
                                                        Mono.defer(() ->
                                                                KeyStore.rotate(
                                                                        db, tenant, key, grace)))
                                                .delayUntil(now ->
                                                        audit.act(
                                                                db,
                                                                tenant,
                                                                caller,
                                                                exchange,
                                                                HttpStatus.OK,
                                                                "key.rotated",
                                                                id,
                                                                null))))
                .doOnNext(now -> door.changed(id))
                .map(now -> secret(ResponseEntity.ok(), key, now));
    }

    @DeleteMapping("/{id}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Revokes a key",
            description = "Refused everywhere within five seconds; open live feeds end.")
    Mono<Void> revoke(Caller caller, @PathVariable String id, ServerWebExchange exchange) {
        return tenantOf(caller, id)
                .flatMap(tenant ->
                        database.one(
                                tenant,
                                db ->
                                        find(db, tenant, id)
                                                .doOnNext(found -> check(caller, found))
                                                .then(
                                                        Mono.defer(() ->
                                                                KeyStore.remove(db, tenant, id)))
                                                .then(
                                                        Mono.defer(() ->
                                                                audit.act(
                                                                        db,
                                                                        tenant,
                                                                        caller,
                                                                        exchange,
                                                                        HttpStatus.NO_CONTENT,
                                                                        "key.revoked",
                                                                        id,
                                                                        null)))
                                                .thenReturn(id)))
                .doOnNext(door::changed)
                .then();
    }

    /** Whose key it is, when the caller may touch it; the own tenant's otherwise, where it is not to be found. */
    private Mono<String> tenantOf(Caller caller, String id) {
        return Reach.everywhere(caller)
                ? keys.tenantOf(id).defaultIfEmpty(caller.tenant())
                : Mono.just(caller.tenant());
    }

    private static Mono<KeyView> find(DatabaseClient db, String tenant, String id) {
        return KeyStore.lock(db, tenant, id)
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("key " + id)));
    }

    private static void check(Caller caller, KeyView key) {
        if (key.fromSettings()) {
            throw ProblemException.conflict(
                    "key-of-settings",
                    "this key comes from API_KEYS; take it out there and restart the gateway");
        }
        if (key.scopes().contains("platform") && !Reach.everywhere(caller)) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "missing-scope",
                    "a key with scope platform is touched by who has that scope");
        }
        OrgUnits.requireWithin(
                caller, key.orgUnits() == null ? java.util.List.of() : key.orgUnits());
    }

    private static ResponseEntity<Made> secret(
            ResponseEntity.BodyBuilder answer, KeyText key, KeyView view) {
        return answer.cacheControl(CacheControl.noStore()).body(new Made(key.text(), view));
    }
}
