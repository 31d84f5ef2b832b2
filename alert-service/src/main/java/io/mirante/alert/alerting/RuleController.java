package io.mirante.alert.alerting;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.mirante.alert.metrics.MinuteSums;
import io.mirante.alert.webhook.Recipient;
import io.mirante.alert.webhook.Recipients;
import io.mirante.platform.jobs.TimeOrderedIds;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.r2dbc.core.DatabaseClient;
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

/** Rules: list, create, replace, delete, try on history. */
@RestController
@RequestMapping("/api/v1/alerts/rules")
class RuleController {

    private static final long MAX_RULES = 500;

    private final TenantDatabase tenants;
    private final Rules rules;
    private final Alerts alerts;
    private final MoveAlerts moves;
    private final Recipients recipients;
    private final Destinations destinations;
    private final MinuteSums sums;
    private final Clock clock;

    RuleController(
            TenantDatabase tenants,
            Rules rules,
            Alerts alerts,
            MoveAlerts moves,
            Recipients recipients,
            Destinations destinations,
            MinuteSums sums,
            Clock clock) {
        this.tenants = tenants;
        this.rules = rules;
        this.alerts = alerts;
        this.moves = moves;
        this.recipients = recipients;
        this.destinations = destinations;
        this.sums = sums;
        this.clock = clock;
    }

    /**
     * A rule as the API shows it.
     *
     * @param status {@code active} or {@code paused}
     */
    record View(
            String id,
            String type,
            FilterView filter,
            ThresholdView threshold,
            String status,
            List<RecipientView> recipients,
            Instant createdAt,
            Instant updatedAt) {

        static View of(Rule rule, List<Recipient> recipients) {
            var threshold = rule.threshold();
            return new View(
                    rule.id(),
                    rule.type(),
                    new FilterView(
                            shown(rule.orgUnit()), shown(rule.channel()), shown(rule.priority())),
                    new ThresholdView(
                            threshold.metric(),
                            threshold.value(),
                            ShortDuration.text(threshold.window()),
                            threshold.operator().text(),
                            ShortDuration.text(threshold.hold())),
                    rule.active() ? "active" : "paused",
                    recipients.stream().map(RecipientView::of).toList(),
                    rule.createdAt(),
                    rule.updatedAt());
        }

        private static @Nullable String shown(String dimension) {
            return dimension.isEmpty() ? null : dimension;
        }
    }

    record FilterView(
            @Nullable String orgUnit, @Nullable String channel, @Nullable String priority) {}

    record ThresholdView(
            String metric,
            BigDecimal value,
            String window,
            String operator,
            @JsonProperty("for") String hold) {}

    /**
     * A recipient as the API shows it.
     *
     * @param status {@code active} or {@code disabled}
     * @param detail why it is disabled
     * @param secret only in the answer that made it
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record RecipientView(
            String id,
            String kind,
            String url,
            String status,
            @Nullable String detail,
            @Nullable String secret) {

        static RecipientView of(Recipient recipient) {
            return new RecipientView(
                    recipient.id(),
                    "webhook",
                    recipient.url(),
                    recipient.disabledReason() == null ? "active" : "disabled",
                    recipient.disabledReason(),
                    recipient.newSecret());
        }
    }

    /**
     * What a rule would have done.
     *
     * @param from since when minutes are kept
     * @param value the window's sum now
     * @param wouldHaveFired each time, oldest first
     */
    record Trial(
            String ruleId,
            Instant from,
            Instant to,
            BigDecimal value,
            List<RuleHistory.Firing> wouldHaveFired) {}

    @GetMapping
    @PreAuthorize(Scopes.VIEW)
    Mono<Page<View>> list(Caller caller, Paging paging) {
        var after = Callers.after(paging.after());
        return tenants.one(
                Callers.tenant(caller),
                db ->
                        rules.list(after, paging.limit() + 1, db)
                                .map(found -> Page.of(found, paging.limit(), Rule::id))
                                .flatMap(page ->
                                        recipients
                                                .of(
                                                        page.items().stream()
                                                                .map(Rule::id)
                                                                .toList(),
                                                        db)
                                                .map(all -> views(page, all))));
    }

    private static Page<View> views(Page<Rule> page, List<Recipient> all) {
        return new Page<>(
                page.items().stream()
                        .map(rule ->
                                View.of(
                                        rule,
                                        all.stream()
                                                .filter(r -> r.ownerId().equals(rule.id()))
                                                .toList()))
                        .toList(),
                page.nextCursor());
    }

    @PostMapping
    @PreAuthorize(Scopes.MANAGE)
    Mono<ResponseEntity<View>> create(Caller caller, @RequestBody RuleForm form) {
        var tenant = Callers.tenant(caller);
        var checked = form.check();
        var now = now();
        var rule = rule("rule_" + TimeOrderedIds.next(), checked, now, now);
        return RecipientForm.reachable(checked.recipients(), destinations)
                .then(
                        tenants.one(
                                tenant,
                                db ->
                                        requireRoom(tenant, db)
                                                .then(rules.insert(tenant, rule, db))
                                                .then(
                                                        recipients.replace(
                                                                tenant,
                                                                rule.id(),
                                                                checked.recipients(),
                                                                now,
                                                                db))))
                .map(made ->
                        ResponseEntity.created(URI.create("/api/v1/alerts/rules/" + rule.id()))
                                .body(View.of(rule, made)));
    }

    @PutMapping("/{id}")
    @PreAuthorize(Scopes.MANAGE)
    Mono<View> replace(Caller caller, @PathVariable String id, @RequestBody RuleForm form) {
        var tenant = Callers.tenant(caller);
        var checked = form.check();
        var now = now();
        return RecipientForm.reachable(checked.recipients(), destinations)
                .then(
                        tenants.one(
                                tenant,
                                db ->
                                        alerts.lock(tenant, db)
                                                .then(find(id, db))
                                                .flatMap(known -> {
                                                    var rule =
                                                            rule(
                                                                    id,
                                                                    checked,
                                                                    known.createdAt(),
                                                                    now);
                                                    return rules.update(rule, db)
                                                            .then(
                                                                    recipients.replace(
                                                                            tenant,
                                                                            id,
                                                                            checked.recipients(),
                                                                            now,
                                                                            db))
                                                            .delayUntil(kept ->
                                                                    goesOn(known, rule)
                                                                            ? Mono.empty()
                                                                            : endOpen(
                                                                                    tenant, id, now,
                                                                                    db))
                                                            .map(kept -> View.of(rule, kept));
                                                })));
    }

    @DeleteMapping("/{id}")
    @PreAuthorize(Scopes.MANAGE)
    @ResponseStatus(HttpStatus.NO_CONTENT)
    Mono<Void> delete(Caller caller, @PathVariable String id) {
        var tenant = Callers.tenant(caller);
        var now = now();
        return tenants.one(
                tenant,
                db ->
                        alerts.lock(tenant, db)
                                .then(find(id, db))
                                .then(endOpen(tenant, id, now, db))
                                .then(recipients.removeAll(id, now, db))
                                .then(rules.delete(id, db)));
    }

    @PostMapping("/{id}/test")
    @PreAuthorize(Scopes.VIEW)
    Mono<Trial> test(Caller caller, @PathVariable String id) {
        var tenant = Callers.tenant(caller);
        var now = now();
        var from = now.minus(MinuteSums.KEPT);
        return tenants.one(
                tenant,
                db ->
                        find(id, db)
                                .flatMap(rule ->
                                        sums.history(tenant, rule.series(), now, db)
                                                .map(minutes -> {
                                                    var threshold = rule.threshold();
                                                    // The first looks need a whole window before
                                                    // them.
                                                    var first = from.plus(threshold.window());
                                                    return new Trial(
                                                            id,
                                                            first,
                                                            now,
                                                            RuleHistory.sum(
                                                                    minutes,
                                                                    MinuteSums.firstMinute(
                                                                            now,
                                                                            threshold.window()),
                                                                    now),
                                                            RuleHistory.play(
                                                                    threshold, minutes, first,
                                                                    now));
                                                })));
    }

    /** Whether an open alert of the rule is still about the same thing after the rule changed. */
    private static boolean goesOn(Rule before, Rule after) {
        return after.active() && after.series().equals(before.series());
    }

    private Mono<Rule> find(String id, DatabaseClient db) {
        return (Callers.isId(id) ? rules.find(id, db) : Mono.<Rule>empty())
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("the rule")));
    }

    private Mono<Void> endOpen(String tenant, String ruleId, Instant now, DatabaseClient db) {
        return alerts.open(tenant, db)
                .flatMap(open ->
                        open.containsKey(ruleId)
                                ? moves.end(tenant, open.get(ruleId), now, db)
                                : Mono.empty())
                .then();
    }

    private Mono<Void> requireRoom(String tenant, DatabaseClient db) {
        return alerts.lock(tenant, db)
                .then(rules.count(db))
                .flatMap(count ->
                        count < MAX_RULES
                                ? Mono.empty()
                                : Mono.error(
                                        ProblemException.impossible(
                                                "too-many-rules",
                                                "a tenant has at most " + MAX_RULES + " rules")));
    }

    private static Rule rule(
            String id, RuleForm.Checked checked, Instant createdAt, Instant updatedAt) {
        return new Rule(
                id,
                checked.type(),
                checked.orgUnit(),
                checked.channel(),
                checked.priority(),
                checked.threshold(),
                checked.active(),
                createdAt,
                updatedAt);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
