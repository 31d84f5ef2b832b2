package io.mirante.etl.features;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.util.List;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code /api/v1/features}: what features mean, and each user's. */
@RestController
@RequestMapping("/api/v1/features")
class FeatureController {

    private final UserFeatureStates states;
    private final TenantDatabase database;

    FeatureController(UserFeatureStates states, TenantDatabase database) {
        this.states = states;
        this.database = database;
    }

    /** All definitions of a version. */
    record Catalog(int version, List<Feature> features) {}

    @GetMapping("/catalog")
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Catalog> catalog() {
        return Mono.just(new Catalog(FeatureCatalog.VERSION, FeatureCatalog.all()));
    }

    /** Of all users, in the order of their ids. */
    @GetMapping
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Page<UserFeatureStates.State>> list(Paging paging, Caller caller) {
        return database.many(
                        caller.tenant(),
                        db -> states.list(caller.tenant(), paging.after(), paging.limit() + 1, db))
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), UserFeatureStates.State::userId));
    }

    @GetMapping("/{userId}")
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<UserFeatureStates.State> show(@PathVariable String userId, Caller caller) {
        return database.one(caller.tenant(), db -> states.find(caller.tenant(), userId, db))
                .switchIfEmpty(
                        Mono.error(() -> ProblemException.notFound("features of user " + userId)));
    }
}
