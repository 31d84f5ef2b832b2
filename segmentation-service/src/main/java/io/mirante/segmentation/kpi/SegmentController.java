package io.mirante.segmentation.kpi;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.mirante.contracts.etl.RfmSegment;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.segmentation.clustering.ClusterModel;
import io.mirante.segmentation.clustering.ClusterModels;
import io.mirante.segmentation.clustering.Clusters;
import io.mirante.segmentation.rfm.Population;
import io.mirante.segmentation.rfm.Populations;
import io.mirante.segmentation.rfm.RfmView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/**
 * {@code /api/v1/segments}: the ten RFM segments ({@code rfm_champions} …) and the clusters of the clustering in force
 * ({@code cluster_0} …).
 */
@RestController
@RequestMapping("/api/v1/segments")
class SegmentController {

    private static final String CONSUMER = "keepProfiles";
    private static final String RFM = "rfm_";
    private static final String CLUSTER = "cluster_";

    private final TenantDatabase database;
    private final ClusterModels models;
    private final Clusters clusters;
    private final Populations populations;
    private final AsOf asOf;

    SegmentController(
            TenantDatabase database,
            ClusterModels models,
            Clusters clusters,
            Populations populations,
            AsOf asOf) {
        this.database = database;
        this.models = models;
        this.clusters = clusters;
        this.populations = populations;
        this.asOf = asOf;
    }

    /**
     * A segment with its size.
     *
     * @param kind {@code rfm} or {@code cluster}
     * @param modelId of a cluster; null for an RFM segment
     */
    record Segment(String id, String kind, String name, long users, @Nullable String modelId) {}

    /** A segment asked for by itself: its own fields, and how complete they are. */
    record SegmentNow(Instant asOf, @JsonUnwrapped Segment segment) {}

    /** All segments; not in pages, since there are few. */
    record Segments(Instant asOf, List<Segment> items, @Nullable String nextCursor) {}

    /** A user of a segment; {@code rfm} is there for RFM segments. */
    record SegmentUser(String userId, @Nullable RfmView rfm) {}

    /** A page of a segment's users. */
    record SegmentUsers(Instant asOf, List<SegmentUser> items, @Nullable String nextCursor) {

        static SegmentUsers of(Instant asOf, List<SegmentUser> rows, Paging paging) {
            var page = Page.of(rows, paging.limit(), SegmentUser::userId);
            return new SegmentUsers(asOf, page.items(), page.nextCursor());
        }
    }

    @GetMapping
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Segments> list(Caller caller) {
        return asOf.of(CONSUMER)
                .flatMap(complete ->
                        all(caller.tenant(), complete)
                                .map(items -> new Segments(complete, items, null)));
    }

    @GetMapping("/{id}")
    @PreAuthorize(Scopes.VIEW)
    Mono<SegmentNow> show(@PathVariable String id, Caller caller) {
        return asOf.of(CONSUMER)
                .flatMap(complete ->
                        all(caller.tenant(), complete)
                                .flatMap(all ->
                                        Mono.justOrEmpty(
                                                all.stream()
                                                        .filter(s -> s.id().equals(id))
                                                        .findFirst()))
                                .map(segment -> new SegmentNow(complete, segment)))
                .switchIfEmpty(missing(id));
    }

    /**
     * The users of a segment, in the order of their ids.
     *
     * @param at for RFM segments: RFC 3339 time or date; purchases of its UTC day count, later ones do not; default:
     *     {@code as_of}. Clusters are as they are now
     */
    @GetMapping("/{id}/users")
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<SegmentUsers> users(
            @PathVariable String id,
            @RequestParam(required = false) @Nullable String at,
            Paging paging,
            Caller caller) {
        var tenant = caller.tenant();
        var asked = Populations.asked(at);
        var segment =
                Arrays.stream(RfmSegment.values())
                        .filter(s -> id.equals(RFM + s.wireName()))
                        .findFirst();
        return asOf.of(CONSUMER)
                .flatMap(complete ->
                        segment.map(s ->
                                        populations
                                                .at(tenant, asked, complete)
                                                .map(p -> users(p, s, paging)))
                                .orElseGet(() -> clustered(tenant, id, paging))
                                .map(rows -> SegmentUsers.of(complete, rows, paging)));
    }

    private Mono<List<SegmentUser>> clustered(String tenant, String id, Paging paging) {
        return database.one(
                tenant,
                db ->
                        models.current(db, tenant)
                                .filter(model -> cluster(id, model) >= 0)
                                .switchIfEmpty(missing(id))
                                .flatMap(model ->
                                        clusters.users(
                                                        db,
                                                        tenant,
                                                        model.id(),
                                                        cluster(id, model),
                                                        paging.after(),
                                                        paging.limit() + 1)
                                                .map(u -> new SegmentUser(u, null))
                                                .collectList()));
    }

    private static List<SegmentUser> users(
            Population population, RfmSegment segment, Paging paging) {
        return population.users(segment, paging.after(), paging.limit() + 1).stream()
                .map(user ->
                        new SegmentUser(
                                user,
                                Optional.ofNullable(population.of(user))
                                        .map(RfmView::of)
                                        .orElse(null)))
                .toList();
    }

    private Mono<List<Segment>> all(String tenant, Instant complete) {
        return populations
                .at(tenant, null, complete)
                .flatMap(population ->
                        database.one(
                                        tenant,
                                        db ->
                                                models.current(db, tenant)
                                                        .flatMap(model ->
                                                                clusters.sizes(
                                                                                db,
                                                                                tenant,
                                                                                model.id())
                                                                        .map(sizes ->
                                                                                clusters(
                                                                                        model,
                                                                                        sizes))))
                                .defaultIfEmpty(List.of())
                                .map(found -> {
                                    var items = new ArrayList<>(rfm(population));
                                    items.addAll(found);
                                    return List.copyOf(items);
                                }));
    }

    private static List<Segment> rfm(Population population) {
        return Arrays.stream(RfmSegment.values())
                .map(s ->
                        new Segment(
                                RFM + s.wireName(),
                                "rfm",
                                s.wireName(),
                                population.sizes().getOrDefault(s, 0),
                                null))
                .toList();
    }

    private static List<Segment> clusters(ClusterModel model, Map<Integer, Long> sizes) {
        var items = new ArrayList<Segment>();
        for (int c = 0; c < model.k(); c++) {
            items.add(
                    new Segment(
                            CLUSTER + c,
                            "cluster",
                            model.labels().get(c),
                            sizes.getOrDefault(c, 0L),
                            model.id()));
        }
        return items;
    }

    /** Number of the cluster that the id names; −1 when the model has none such. */
    private static int cluster(String id, ClusterModel model) {
        for (int c = 0; c < model.k(); c++) {
            if (id.equals(CLUSTER + c)) {
                return c;
            }
        }
        return -1;
    }

    private static <T> Mono<T> missing(String id) {
        return Mono.error(() -> ProblemException.notFound("segment " + id));
    }
}
