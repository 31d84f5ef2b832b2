package io.mirante.alert.alerting;

import io.mirante.alert.TenantLists;
import io.mirante.alert.metrics.MinuteSums;
import io.mirante.platform.lifecycle.Periodic;
import io.mirante.platform.persistence.TenantDatabase;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Looks at every active rule each second. A tenant is one transaction under an advisory lock, so that of several replicas
 * one moves its alerts at a time; a tenant that fails is logged and looked at again a second later.
 */
@Component
final class EvaluateRules extends Periodic {

    private static final Logger LOG = LoggerFactory.getLogger(EvaluateRules.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int TENANTS_AT_ONCE = 3;

    private final TenantLists tenantLists;
    private final TenantDatabase tenants;
    private final MinuteSums sums;
    private final Rules rules;
    private final Alerts alerts;
    private final MoveAlerts moves;
    private final Clock clock;

    EvaluateRules(
            TenantLists tenantLists,
            TenantDatabase tenants,
            MinuteSums sums,
            Rules rules,
            Alerts alerts,
            MoveAlerts moves,
            Clock clock) {
        super("evaluate-rules", PAUSE, PAUSE);
        this.tenantLists = tenantLists;
        this.tenants = tenants;
        this.sums = sums;
        this.rules = rules;
        this.alerts = alerts;
        this.moves = moves;
        this.clock = clock;
    }

    @Override
    protected void turn() {
        tenantLists
                .withActiveRules()
                .flatMapMany(Flux::fromIterable)
                .flatMap(this::orWarn, TENANTS_AT_ONCE)
                .then()
                .block(LIMIT);
    }

    private Mono<Integer> orWarn(String tenant) {
        return evaluate(tenant, clock.instant())
                .onErrorResume(e -> {
                    LOG.atWarn()
                            .addKeyValue("tenant_id", tenant)
                            .log("cannot evaluate the tenant's rules: {}", e.getMessage());
                    return Mono.just(0);
                });
    }

    /**
     * Looks at all active rules of a tenant and moves what has to move.
     *
     * @return how many alerts moved; 0 also while another replica is at it
     */
    Mono<Integer> evaluate(String tenant, Instant instant) {
        var now = instant.truncatedTo(ChronoUnit.MILLIS);
        return tenants.one(
                tenant,
                db ->
                        alerts.tryLock(tenant, db)
                                .flatMap(ours -> ours ? lookAtAll(tenant, now, db) : Mono.just(0)));
    }

    private Mono<Integer> lookAtAll(String tenant, Instant now, DatabaseClient db) {
        return rules.active(tenant, db)
                .flatMap(active ->
                        alerts.open(tenant, db)
                                .flatMap(open ->
                                        sums.sums(tenant, windows(active), now, db)
                                                .flatMap(values ->
                                                        look(
                                                                tenant, active, values, open, now,
                                                                db))));
    }

    private static List<MinuteSums.Window> windows(List<Rule> active) {
        return active.stream().map(Rule::window).toList();
    }

    private Mono<Integer> look(
            String tenant,
            List<Rule> active,
            List<BigDecimal> values,
            Map<String, Alert> open,
            Instant now,
            DatabaseClient db) {
        return Flux.range(0, active.size())
                .concatMap(i -> {
                    var rule = active.get(i);
                    var known = open.get(rule.id());
                    return known == null
                            ? begin(tenant, rule, values.get(i), now, db)
                            : goOn(tenant, rule, known, values.get(i), now, db);
                })
                .count()
                .map(Math::toIntExact);
    }

    private Mono<Alert> begin(
            String tenant, Rule rule, BigDecimal value, Instant now, DatabaseClient db) {
        return rule.threshold().holds(value)
                ? moves.open(
                        tenant, rule, AlertState.begin(now, rule.threshold().hold()), value, db)
                : Mono.empty();
    }

    private Mono<Alert> goOn(
            String tenant,
            Rule rule,
            Alert alert,
            BigDecimal value,
            Instant now,
            DatabaseClient db) {
        if (!(alert.state() instanceof AlertState.Open state)) {
            return Mono.empty();
        }
        var threshold = rule.threshold();
        var next = state.observe(threshold.holds(value), now, threshold.hold());
        return next.equals(state)
                ? Mono.empty()
                : moves.move(tenant, alert, next, value, threshold.value(), now, db);
    }
}
