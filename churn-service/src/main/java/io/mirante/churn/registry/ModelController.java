package io.mirante.churn.registry;

import io.mirante.contracts.Json;
import io.mirante.platform.jobs.Jobs;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code /api/v1/models}: what was trained, how, and which one is in force. */
@RestController
@RequestMapping("/api/v1/models")
class ModelController {

    private final Models models;
    private final Jobs jobs;

    ModelController(Models models, Jobs jobs) {
        this.models = models;
        this.jobs = jobs;
    }

    @GetMapping
    @PreAuthorize(Scopes.VIEW)
    Mono<Page<Models.Stored>> list(Caller caller, Paging paging) {
        return models.list(caller.tenant(), paging.limit() + 1, paging.after())
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), m -> Integer.toString(m.version())));
    }

    @GetMapping("/{id}")
    @PreAuthorize(Scopes.VIEW)
    Mono<Models.Stored> show(@PathVariable String id, Caller caller) {
        return models.describe(caller.tenant(), id).switchIfEmpty(missing(id));
    }

    /** Puts a model in force, also one that is worse: whoever asks has seen its metrics. */
    @PostMapping("/{id}/promote")
    @PreAuthorize(Scopes.MANAGE)
    Mono<Models.Stored> promote(@PathVariable String id, Caller caller) {
        return models.promote(caller.tenant(), id)
                .filter(Boolean::booleanValue)
                .switchIfEmpty(missing(id))
                .then(
                        Mono.defer(() ->
                                jobs.submit(
                                        caller.tenant(),
                                        "rescore",
                                        Json.mapper().createObjectNode().put("model_id", id))))
                .then(Mono.defer(() -> models.describe(caller.tenant(), id)));
    }

    private static <T> Mono<T> missing(String id) {
        return Mono.error(() -> ProblemException.notFound("model " + id));
    }
}
