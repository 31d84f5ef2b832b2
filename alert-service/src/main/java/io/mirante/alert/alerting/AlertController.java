package io.mirante.alert.alerting;

import io.mirante.alert.webhook.Deliveries;
import io.mirante.alert.webhook.Recipient;
import io.mirante.alert.webhook.Recipients;
import io.mirante.platform.outbound.Destinations;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** Alerts and their states: list, look at one, raise by hand, acknowledge. */
@RestController
@RequestMapping("/api/v1/alerts")
class AlertController {

    private static final Set<String> STATES = Set.of("pending", "firing", "resolved");

    private final TenantDatabase tenants;
    private final Alerts alerts;
    private final MoveAlerts moves;
    private final Recipients recipients;
    private final Deliveries deliveries;
    private final Destinations destinations;
    private final Clock clock;

    AlertController(
            TenantDatabase tenants,
            Alerts alerts,
            MoveAlerts moves,
            Recipients recipients,
            Deliveries deliveries,
            Destinations destinations,
            Clock clock) {
        this.tenants = tenants;
        this.alerts = alerts;
        this.moves = moves;
        this.recipients = recipients;
        this.deliveries = deliveries;
        this.destinations = destinations;
        this.clock = clock;
    }

    /** An alert as the API shows it. */
    record View(
            String id,
            String ruleId,
            String type,
            String metric,
            String state,
            BigDecimal value,
            BigDecimal threshold,
            Instant startedAt,
            @Nullable Instant firedAt,
            @Nullable Instant resolvedAt,
            @Nullable Instant acknowledgedAt,
            @Nullable String acknowledgedBy,
            long revision) {

        static View of(Alert alert) {
            return new View(
                    alert.id(),
                    alert.ruleId(),
                    alert.type(),
                    alert.metric(),
                    alert.state().name(),
                    alert.value(),
                    alert.threshold(),
                    alert.state().startedAt(),
                    alert.state().firing(),
                    alert.state().over(),
                    alert.acknowledgedAt(),
                    alert.acknowledgedBy(),
                    alert.revision());
        }
    }

    /** One alert with what its receivers answered. */
    record Detail(View alert, List<Deliveries.Report> deliveries) {}

    /** An alert raised by hand, and the recipients with the secrets made for them. */
    record Raised(View alert, List<RuleController.RecipientView> recipients) {}

    /**
     * An alert to raise by hand.
     *
     * @param metric what it is about, in the caller's words; default {@code manual}
     * @param value default 0, as the threshold
     */
    record Form(
            @Nullable String type,
            @Nullable String metric,
            @Nullable BigDecimal value,
            @Nullable BigDecimal threshold,
            @Nullable List<@Nullable RecipientForm> recipients) {}

    @GetMapping
    @PreAuthorize(Scopes.VIEW_OR_INTERNAL)
    Mono<Page<View>> list(
            Caller caller,
            Paging paging,
            @RequestParam(name = "state", required = false) @Nullable String state) {
        if (state != null && !STATES.contains(state)) {
            throw ProblemException.malformed(
                    "?state", "unknown", "state must be pending, firing or resolved");
        }
        var after = Callers.after(paging.after());
        return tenants.one(
                        Callers.tenant(caller),
                        db ->
                                alerts.list(
                                        state == null ? "" : state, after, paging.limit() + 1, db))
                .map(found ->
                        Page.of(found.stream().map(View::of).toList(), paging.limit(), View::id));
    }

    @GetMapping("/{id}")
    @PreAuthorize(Scopes.VIEW)
    Mono<Detail> get(Caller caller, @PathVariable String id) {
        return tenants.one(
                Callers.tenant(caller),
                db ->
                        find(id, db)
                                .flatMap(alert ->
                                        deliveries
                                                .of(id, db)
                                                .map(all -> new Detail(View.of(alert), all))));
    }

    @PostMapping
    @PreAuthorize(Scopes.MANAGE)
    Mono<ResponseEntity<Raised>> raise(Caller caller, @RequestBody Form form) {
        var tenant = Callers.tenant(caller);
        var errors = new ArrayList<FieldError>();
        var type = RuleForm.text(form.type(), "/type", true, errors);
        var metric =
                form.metric() == null
                        ? Alert.MANUAL
                        : RuleForm.text(form.metric(), "/metric", true, errors);
        var value = number(form.value(), "/value", errors);
        var threshold = number(form.threshold(), "/threshold", errors);
        var drafts = RecipientForm.check(form.recipients(), errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        var now = now();
        var alert =
                new Alert(
                        MoveAlerts.newId(),
                        Alert.MANUAL,
                        type,
                        metric,
                        new AlertState.Firing(now, now),
                        value,
                        threshold,
                        null,
                        null,
                        1);
        return RecipientForm.reachable(drafts, destinations)
                .then(tenants.one(tenant, db -> raise(tenant, alert, drafts, now, db)))
                .map(told ->
                        ResponseEntity.created(URI.create("/api/v1/alerts/" + alert.id()))
                                .body(
                                        new Raised(
                                                View.of(alert),
                                                told.stream()
                                                        .map(RuleController.RecipientView::of)
                                                        .toList())));
    }

    private Mono<List<Recipient>> raise(
            String tenant,
            Alert alert,
            List<Recipient.Draft> drafts,
            Instant now,
            DatabaseClient db) {
        return recipients
                .replace(tenant, alert.id(), drafts, now, db)
                .delayUntil(told -> moves.open(tenant, alert, db));
    }

    /** Acknowledging twice keeps the first; an alert raised by hand is over with it, since nothing else could end it. */
    @PostMapping("/{id}/acknowledge")
    @PreAuthorize(Scopes.MANAGE)
    Mono<View> acknowledge(Caller caller, @PathVariable String id) {
        var tenant = Callers.tenant(caller);
        var now = now();
        return tenants.one(
                        tenant,
                        db ->
                                alerts.lock(tenant, db)
                                        .then(find(id, db))
                                        .flatMap(alert ->
                                                alert.acknowledgedAt() != null
                                                        ? Mono.just(alert)
                                                        : acknowledge(
                                                                tenant,
                                                                alert,
                                                                now,
                                                                caller.subject(),
                                                                db)))
                .map(View::of);
    }

    private Mono<Alert> acknowledge(
            String tenant, Alert alert, Instant now, String by, DatabaseClient db) {
        var acknowledged = alert.acknowledged(now, by);
        return alerts.acknowledge(alert, now, by, db)
                .then(
                        alert.isManual()
                                ? moves.end(tenant, acknowledged, now, db)
                                        .delayUntil(
                                                over -> recipients.removeAll(over.id(), now, db))
                                : Mono.just(acknowledged));
    }

    private Mono<Alert> find(String id, DatabaseClient db) {
        return (Callers.isId(id) ? alerts.find(id, db) : Mono.<Alert>empty())
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("the alert")));
    }

    private static BigDecimal number(
            @Nullable BigDecimal value, String pointer, List<FieldError> errors) {
        return value == null ? BigDecimal.ZERO : RuleForm.number(value, pointer, errors);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }
}
