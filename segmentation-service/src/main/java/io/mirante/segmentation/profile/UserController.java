package io.mirante.segmentation.profile;

import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.segmentation.Rows;
import io.mirante.segmentation.clustering.Clusters;
import io.mirante.segmentation.rfm.Populations;
import io.mirante.segmentation.rfm.RfmView;
import io.mirante.segmentation.risk.Risks;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/v1/users/{id}} and its segment. */
@RestController
@RequestMapping("/api/v1/users/{id}")
class UserController {

    private final TenantDatabase database;
    private final Profiles profiles;
    private final Clusters clusters;
    private final Risks risks;
    private final Populations populations;
    private final AsOf asOf;
    private final Tenants tenants;

    UserController(
            TenantDatabase database,
            Profiles profiles,
            Clusters clusters,
            Risks risks,
            Populations populations,
            AsOf asOf,
            Tenants tenants) {
        this.database = database;
        this.profiles = profiles;
        this.clusters = clusters;
        this.risks = risks;
        this.populations = populations;
        this.asOf = asOf;
        this.tenants = tenants;
    }

    /** A user as the API shows them. */
    record User(
            String userId,
            List<Identity> identities,
            ObjectNode traits,
            @Nullable Instant firstSeenAt,
            @Nullable Instant lastSeenAt,
            long sessions,
            Events events,
            Revenue revenue,
            @Nullable RfmView rfm,
            Clusters.@Nullable Member cluster,
            Map<String, Risks.Churn> predictions,
            Instant asOf) {

        record Identity(String kind, String id) {}

        record Events(long total, Map<String, Long> byType) {}

        record Revenue(String total, long orders, String currency) {}
    }

    /** A user's segment. */
    record Segment(
            String userId,
            @Nullable RfmView rfm,
            Clusters.@Nullable Member cluster,
            Instant asOf) {}

    @GetMapping
    @PreAuthorize(Scopes.VIEW)
    Mono<User> show(@PathVariable String id, Caller caller) {
        var tenant = caller.tenant();
        return asOf.of(ProfileBinding.CONSUMER)
                .flatMap(complete ->
                        Mono.zip(
                                        database.one(tenant, db -> stored(db, tenant, id)),
                                        populations.at(tenant, null, complete))
                                .map(both ->
                                        user(
                                                both.getT1(),
                                                Optional.ofNullable(both.getT2().of(id))
                                                        .map(RfmView::of)
                                                        .orElse(null),
                                                complete)))
                .switchIfEmpty(missing(id));
    }

    /**
     * A user's RFM figures, scores and segment, and cluster.
     *
     * @param at RFC 3339 time or date; purchases of its UTC day count, later ones do not; default: {@code as_of}
     */
    @GetMapping("/segment")
    @PreAuthorize(Scopes.VIEW)
    Mono<Segment> segment(
            @PathVariable String id,
            @RequestParam(required = false) @Nullable String at,
            Caller caller) {
        var tenant = caller.tenant();
        var asked = Populations.asked(at);
        return asOf.of(ProfileBinding.CONSUMER)
                .flatMap(complete ->
                        Mono.zip(
                                        database.one(tenant, db -> placed(db, tenant, id)),
                                        populations.at(tenant, asked, complete))
                                .map(both ->
                                        new Segment(
                                                id,
                                                Optional.ofNullable(both.getT2().of(id))
                                                        .map(RfmView::of)
                                                        .orElse(null),
                                                both.getT1().orElse(null),
                                                complete)))
                .switchIfEmpty(missing(id));
    }

    private record Stored(
            Profiles.Profile profile,
            List<Profiles.TypeCount> events,
            Profiles.Revenue revenue,
            long sessions,
            List<String> anonymousIds,
            Clusters.@Nullable Member cluster,
            Risks.@Nullable Churn churn) {}

    private Mono<Stored> stored(DatabaseClient db, String tenant, String id) {
        return profiles.find(db, tenant, id)
                .flatMap(profile ->
                        profiles.events(db, tenant, id)
                                .collectList()
                                .flatMap(events -> stored(db, tenant, profile, events)));
    }

    private Mono<Stored> stored(
            DatabaseClient db,
            String tenant,
            Profiles.Profile profile,
            List<Profiles.TypeCount> events) {
        var id = profile.userId();
        return profiles.revenue(db, tenant, id, tenants.settings(tenant).currency())
                .flatMap(revenue ->
                        profiles.sessions(db, tenant, id)
                                .flatMap(sessions ->
                                        profiles.anonymousIds(db, tenant, id)
                                                .collectList()
                                                .flatMap(ids ->
                                                        stored(
                                                                db,
                                                                tenant,
                                                                new Stored(
                                                                        profile, events, revenue,
                                                                        sessions, ids, null,
                                                                        null)))));
    }

    private Mono<Stored> stored(DatabaseClient db, String tenant, Stored some) {
        var id = some.profile().userId();
        return clusters.find(db, tenant, id)
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .flatMap(cluster ->
                        risks.find(db, tenant, id)
                                .map(Optional::of)
                                .defaultIfEmpty(Optional.empty())
                                .map(churn ->
                                        new Stored(
                                                some.profile(),
                                                some.events(),
                                                some.revenue(),
                                                some.sessions(),
                                                some.anonymousIds(),
                                                cluster.orElse(null),
                                                churn.orElse(null))));
    }

    /** Empty when there is no such user; an empty optional when they have no cluster yet. */
    private Mono<Optional<Clusters.Member>> placed(DatabaseClient db, String tenant, String id) {
        return profiles.find(db, tenant, id)
                .flatMap(profile ->
                        clusters.find(db, tenant, id)
                                .map(Optional::of)
                                .defaultIfEmpty(Optional.empty()));
    }

    private User user(Stored stored, @Nullable RfmView rfm, Instant complete) {
        var profile = stored.profile();
        var identities = new ArrayList<User.Identity>();
        identities.add(new User.Identity("user", profile.userId()));
        stored.anonymousIds().forEach(a -> identities.add(new User.Identity("anonymous", a)));
        var byType = new LinkedHashMap<String, Long>();
        stored.events().forEach(e -> byType.put(e.type(), e.events()));
        var churn = stored.churn();
        return new User(
                profile.userId(),
                identities,
                profile.traits(),
                profile.firstSeenAt(),
                profile.lastSeenAt(),
                stored.sessions(),
                new User.Events(byType.values().stream().mapToLong(Long::longValue).sum(), byType),
                new User.Revenue(
                        Rows.money(stored.revenue().amount()),
                        stored.revenue().orders(),
                        stored.revenue().currency()),
                rfm,
                stored.cluster(),
                churn == null ? Map.of() : Map.of("churn", churn),
                complete);
    }

    private static <T> Mono<T> missing(String id) {
        return Mono.error(() -> ProblemException.notFound("user " + id));
    }
}
