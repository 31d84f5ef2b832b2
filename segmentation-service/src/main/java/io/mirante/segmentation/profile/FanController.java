package io.mirante.segmentation.profile;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.TimeOrderedIds;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/v1/fans}: users' profiles as something one edits. */
@RestController
@RequestMapping("/api/v1/fans")
class FanController {

    private static final int MAX_TEXT = 500;
    private static final int MAX_ID = 200;

    private final TenantDatabase database;
    private final Profiles profiles;
    private final Clock clock;

    FanController(TenantDatabase database, Profiles profiles, Clock clock) {
        this.database = database;
        this.profiles = profiles;
        this.clock = clock;
    }

    /**
     * What is said about a fan; what is left out is unset.
     *
     * @param id of a new fan; made when left out, and not allowed when an existing one is replaced
     * @param traits anything else, an object
     */
    record FanRequest(
            @Nullable String id,
            @Nullable String name,
            @Nullable String city,
            @Nullable Boolean optInGames,
            @Nullable Boolean optInPromotions,
            @Nullable JsonNode traits) {}

    /** A fan as the API shows them. */
    record Fan(
            String id,
            @Nullable String name,
            @Nullable String city,
            @Nullable Boolean optInGames,
            @Nullable Boolean optInPromotions,
            ObjectNode traits,
            long engagement,
            @Nullable Instant firstSeenAt,
            @Nullable Instant lastSeenAt) {}

    @GetMapping
    @PreAuthorize(Scopes.VIEW)
    Mono<Page<Fan>> list(Paging paging, Caller caller) {
        return database.many(
                        caller.tenant(),
                        db ->
                                profiles.list(
                                        db, caller.tenant(), paging.after(), paging.limit() + 1))
                .map(FanController::fan)
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), Fan::id));
    }

    @GetMapping("/{id}")
    @PreAuthorize(Scopes.VIEW)
    Mono<Fan> show(@PathVariable String id, Caller caller) {
        return database.one(caller.tenant(), db -> profiles.find(db, caller.tenant(), id))
                .filter(profile -> !profile.removed())
                .map(FanController::fan)
                .switchIfEmpty(missing(id));
    }

    @PostMapping
    @PreAuthorize(Scopes.MANAGE)
    Mono<ResponseEntity<Fan>> create(@RequestBody FanRequest request, Caller caller) {
        var traits = traits(request);
        var given = request.id();
        var id = given == null ? "fan_" + TimeOrderedIds.next() : given;
        if (id.isBlank() || id.length() > MAX_ID || id.contains("\n")) {
            throw ProblemException.malformed(
                    "/id", "invalid", "id must be 1 to " + MAX_ID + " characters on one line");
        }
        return database.one(
                        caller.tenant(),
                        db -> profiles.create(db, caller.tenant(), id, traits, clock.instant()))
                .filter(Boolean::booleanValue)
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.conflict(
                                        "exists", "there is a fan " + id + " already")))
                .then(Mono.defer(() -> show(id, caller)))
                .map(fan -> ResponseEntity.created(location(id)).body(fan));
    }

    @PutMapping("/{id}")
    @PreAuthorize(Scopes.MANAGE)
    Mono<Fan> replace(@PathVariable String id, @RequestBody FanRequest request, Caller caller) {
        if (request.id() != null && !id.equals(request.id())) {
            throw ProblemException.malformed("/id", "mismatch", "id must be that of the path");
        }
        var traits = traits(request);
        return database.one(
                        caller.tenant(),
                        db -> profiles.replace(db, caller.tenant(), id, traits, clock.instant()))
                .filter(Boolean::booleanValue)
                .switchIfEmpty(missing(id))
                .then(Mono.defer(() -> show(id, caller)));
    }

    /** Takes a fan off the list and forgets what was said about them; erasing a person is DELETE /users/{id}. */
    @DeleteMapping("/{id}")
    @PreAuthorize(Scopes.MANAGE)
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> remove(@PathVariable String id, Caller caller) {
        return database.one(
                        caller.tenant(),
                        db -> profiles.remove(db, caller.tenant(), id, clock.instant()))
                .filter(Boolean::booleanValue)
                .switchIfEmpty(missing(id))
                .then();
    }

    private static URI location(String id) {
        return org.springframework.web.util.UriComponentsBuilder.fromPath("/api/v1/fans/{id}")
                .encode()
                .buildAndExpand(id)
                .toUri();
    }

    private static ObjectNode traits(FanRequest request) {
        var errors = new ArrayList<FieldError>();
        var traits = Json.mapper().createObjectNode();
        var more = request.traits();
        if (more instanceof ObjectNode object) {
            traits.setAll(object);
        } else if (more != null && !more.isNull()) {
            errors.add(new FieldError("/traits", "wrong_type", "traits must be an object"));
        }
        text(traits, "name", request.name(), errors);
        text(traits, "city", request.city(), errors);
        flag(traits, "opt_in_games", request.optInGames());
        flag(traits, "opt_in_promotions", request.optInPromotions());
        if (traits.toString().contains("\\u0000")) {
            errors.add(new FieldError("/traits", "invalid", "text must not hold U+0000"));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return traits;
    }

    private static void text(
            ObjectNode traits, String name, @Nullable String value, ArrayList<FieldError> errors) {
        if (value == null) {
            return;
        }
        if (value.length() > MAX_TEXT) {
            errors.add(
                    new FieldError(
                            "/" + name,
                            "too_long",
                            name + " must be at most " + MAX_TEXT + " characters"));
        }
        traits.put(name, value);
    }

    private static void flag(ObjectNode traits, String name, @Nullable Boolean value) {
        if (value != null) {
            traits.put(name, value);
        }
    }

    private static Fan fan(Profiles.Profile profile) {
        var traits = profile.traits().deepCopy();
        return new Fan(
                profile.userId(),
                taken(traits, "name"),
                taken(traits, "city"),
                flag(traits, "opt_in_games"),
                flag(traits, "opt_in_promotions"),
                traits,
                profile.engagement(),
                profile.firstSeenAt(),
                profile.lastSeenAt());
    }

    private static @Nullable String taken(ObjectNode traits, String name) {
        var value = traits.get(name);
        if (value == null || !value.isString()) {
            return null;
        }
        traits.remove(name);
        return value.stringValue();
    }

    private static @Nullable Boolean flag(ObjectNode traits, String name) {
        var value = traits.get(name);
        if (value == null || !value.isBoolean()) {
            return null;
        }
        traits.remove(name);
        return value.booleanValue();
    }

    private static <T> Mono<T> missing(String id) {
        return Mono.error(() -> ProblemException.notFound("fan " + id));
    }
}
