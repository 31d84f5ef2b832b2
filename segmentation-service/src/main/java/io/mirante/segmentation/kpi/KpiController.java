package io.mirante.segmentation.kpi;

import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.segmentation.Rows;
import io.mirante.segmentation.clustering.ClusterModel;
import io.mirante.segmentation.clustering.ClusterModels;
import io.mirante.segmentation.clustering.Clusters;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code GET /api/v1/kpis}: figures per cluster. */
@RestController
class KpiController {

    private final TenantDatabase database;
    private final ClusterModels models;
    private final Clusters clusters;
    private final AsOf asOf;
    private final Tenants tenants;

    KpiController(
            TenantDatabase database,
            ClusterModels models,
            Clusters clusters,
            AsOf asOf,
            Tenants tenants) {
        this.database = database;
        this.models = models;
        this.clusters = clusters;
        this.asOf = asOf;
        this.tenants = tenants;
    }

    /** Figures of a clustering. */
    record Kpis(Instant asOf, String modelId, String currency, List<Kpi> clusters) {}

    /**
     * Figures of a cluster.
     *
     * @param percentOptInGames of its users, [0, 100]; who has not said counts as not opted in
     * @param averageEngagement interactions per user
     * @param averageSpend purchases per user, decimal text
     * @param churnRisk mean probability of the users that have one, [0, 1]; null when none has
     * @param revenueShare of all clusters' revenue, [0, 1]; 0 when there is none
     */
    record Kpi(
            int cluster,
            String label,
            long totalUsers,
            double percentOptInGames,
            double percentOptInPromotions,
            double averageEngagement,
            String averageSpend,
            @Nullable Double churnRisk,
            double revenueShare,
            List<ClusterModel.Defining> definingFeatures) {}

    @GetMapping("/api/v1/kpis")
    @PreAuthorize(Scopes.VIEW)
    Mono<Kpis> kpis(@RequestParam(required = false) @Nullable String model, Caller caller) {
        var tenant = caller.tenant();
        return asOf.of("keepProfiles")
                .flatMap(complete ->
                        database.one(
                                tenant,
                                db ->
                                        model(db, tenant, model)
                                                .flatMap(m -> kpis(db, tenant, m, complete))));
    }

    private Mono<ClusterModel> model(DatabaseClient db, String tenant, @Nullable String id) {
        return id == null
                ? models.current(db, tenant)
                        .switchIfEmpty(
                                Mono.error(() ->
                                        ProblemException.impossible(
                                                "no-clusters",
                                                "there is no clustering yet; POST"
                                                        + " /api/v1/kpis/cluster first")))
                : models.find(db, tenant, id)
                        .switchIfEmpty(Mono.error(() -> ProblemException.notFound("model " + id)));
    }

    /** One row of the query. */
    private record Sums(
            long users,
            long optInGames,
            long optInPromotions,
            BigDecimal engagement,
            BigDecimal spend,
            @Nullable Double risk) {}

    private Mono<Kpis> kpis(
            DatabaseClient db, String tenant, ClusterModel model, Instant complete) {
        var currency = tenants.settings(tenant).currency();
        return clusters.members(db, tenant, model)
                .flatMap(members -> sums(db, tenant, members, currency))
                .map(sums -> kpis(model, sums, complete, currency));
    }

    private Mono<Map<Integer, Sums>> sums(
            DatabaseClient db, String tenant, Clusters.Members members, String currency) {
        return db.sql(
                        """
                        SELECT m.cluster, count(*) AS users,
                               count(*) FILTER (WHERE p.traits -> 'opt_in_games' = 'true'::jsonb) AS games,
                               count(*) FILTER (WHERE p.traits -> 'opt_in_promotions' = 'true'::jsonb) AS promotions,
                               coalesce(sum(p.engagement), 0) + coalesce(sum(v.engagement), 0) AS engagement,
                               coalesce(sum(d.amount), 0) AS spend,
                               -- exact, so that the order in which rows are read changes no digit
                               avg(r.probability::numeric)::float8 AS risk
                        FROM UNNEST($2::text[], $3::int[]) AS m(user_id, cluster)
                        LEFT JOIN profile p ON p.tenant_id = $1 AND p.user_id = m.user_id
                        LEFT JOIN (SELECT n.user_id, sum(o.engagement) AS engagement
                                   FROM merged_visitor n JOIN visitor_day o USING (tenant_id, anonymous_id)
                                   WHERE n.tenant_id = $1 GROUP BY n.user_id) v ON v.user_id = m.user_id
                        LEFT JOIN user_risk r ON r.tenant_id = $1 AND r.user_id = m.user_id
                        LEFT JOIN (SELECT user_id, sum(amount) AS amount FROM purchase_of_user
                                   WHERE tenant_id = $1 AND currency = $4 GROUP BY user_id) d
                               ON d.user_id = m.user_id
                        GROUP BY m.cluster
                        """)
                .bind(0, tenant)
                .bind(1, members.users().toArray(String[]::new))
                .bind(2, members.clusters().toArray(Integer[]::new))
                .bind(3, currency)
                .map(row ->
                        Map.entry(
                                Rows.value(row, "cluster", Integer.class),
                                new Sums(
                                        Rows.value(row, "users", Long.class),
                                        Rows.value(row, "games", Long.class),
                                        Rows.value(row, "promotions", Long.class),
                                        Rows.value(row, "engagement", BigDecimal.class),
                                        Rows.value(row, "spend", BigDecimal.class),
                                        row.get("risk", Double.class))))
                .all()
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    private static Kpis kpis(
            ClusterModel model, Map<Integer, Sums> sums, Instant complete, String currency) {
        var revenue =
                sums.values().stream().map(Sums::spend).reduce(BigDecimal.ZERO, BigDecimal::add);
        var all = new ArrayList<Kpi>();
        for (int c = 0; c < model.k(); c++) {
            var s = sums.getOrDefault(c, new Sums(0, 0, 0, BigDecimal.ZERO, BigDecimal.ZERO, null));
            long users = Math.max(1, s.users());
            all.add(
                    new Kpi(
                            c,
                            model.labels().get(c),
                            s.users(),
                            100.0 * s.optInGames() / users,
                            100.0 * s.optInPromotions() / users,
                            s.engagement().doubleValue() / users,
                            Rows.money(
                                    s.spend()
                                            .divide(
                                                    BigDecimal.valueOf(users),
                                                    2,
                                                    RoundingMode.HALF_EVEN)),
                            s.risk(),
                            revenue.signum() == 0
                                    ? 0
                                    : s.spend().doubleValue() / revenue.doubleValue(),
                            model.defining(c)));
        }
        return new Kpis(complete, model.id(), currency, all);
    }
}
