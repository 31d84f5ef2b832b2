package io.mirante.bench.demo;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.Delivery;
import io.mirante.bench.client.EventSender;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.client.Outgoing;
import io.mirante.bench.simulation.Fate;
import io.mirante.bench.simulation.Recount;
import io.mirante.bench.simulation.SimulatedEvent;
import io.mirante.bench.simulation.SimulatedReading;
import io.mirante.bench.simulation.Simulation;
import io.mirante.bench.simulation.SimulationSettings;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Plays the simulated shop, and reads every result back. One run per instance; not thread-safe. */
final class ShopDemo {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final List<String> FUNNEL =
            List.of("page_view", "product_view", "add_to_cart", "purchase");
    private static final String HORIZON = "P14D";
    private static final double LIVE_RATE = 20;
    private static final int INCIDENT_TICKETS = 8;
    private static final int ALERT_ABOVE = 5;
    private static final int TELEMETRY_HOURS = 8;
    private static final int PROFILES_COMPARED = 50;

    private final MeshClient mesh;
    private final Screen screen;
    private final Checks checks;
    private final DemoOptions options;
    private final Jobs jobs;

    ShopDemo(MeshClient mesh, Screen screen, Checks checks, DemoOptions options) {
        this.mesh = mesh;
        this.screen = screen;
        this.checks = checks;
        this.options = options;
        this.jobs = new Jobs(mesh, screen, options.patience());
    }

    /**
     * Plays, waits, compares; without {@code --once} goes on for ever.
     *
     * @param stateFile remembers which history this mesh holds; null for a mesh of another place
     */
    void run(@Nullable Path stateFile) {
        DemoState known = stateFile == null ? null : DemoState.read(stateFile);
        if (known != null && !known.sameScale(options)) {
            throw new MeshException(
                    ("this mesh already holds the demo with --seed %d --people %d --weeks %d; ask for the same,"
                                    + " or use another folder (MIRANTE_HOME)")
                            .formatted(known.seed(), known.people(), known.weeks()));
        }
        DemoState state = known == null ? DemoState.fresh(options, Instant.now()) : known;
        Simulation shop =
                new Simulation(
                        SimulationSettings.of(
                                state.seed(), state.start(), state.end(), state.people()));
        Instant from = state.start();
        Instant to = Instant.now().truncatedTo(ChronoUnit.DAYS).plus(2, ChronoUnit.DAYS);
        Recount history = new Recount();
        shop.history().forEach(history::add);
        Figures before = Figures.read(mesh, from, to, state.end(), FUNNEL);
        remember(state, stateFile);

        try (WebhookReceiver receiver = new WebhookReceiver()) {
            play(shop, history);
            remember(state.wholePlayed(), stateFile);
            machines(shop);
            String rule = rule(receiver);
            Recount live = new Recount();
            Instant acceptedAt = live(shop, live, options.live());
            if (countedUntil(acceptedAt, history)) {
                Figures mine =
                        known == null
                                ? before
                                : known.played() ? before.minus(figures(history)) : nothing();
                totals(history, live, mine, from, to, state.end());
                profiles(history);
                windows(history, from, to);
                stage("segments", () -> segments(history.purchases().size()));
                stage("customers at risk", () -> risks(shop));
                stage("machines", () -> effectiveness(shop));
                stage("alerts", () -> alerts(receiver, rule));
            }
            if (options.once()) {
                mesh.delete("/api/v1/alerts/rules/" + rule);
            } else {
                goOn(shop, from);
            }
        }
    }

    private static void remember(DemoState state, @Nullable Path stateFile) {
        if (stateFile != null) {
            state.write(stateFile);
        }
    }

    private void stage(String name, Runnable stage) {
        try {
            stage.run();
        } catch (MeshException e) {
            checks.failed(name, String.valueOf(e.getMessage()));
        }
    }

    // --- in
    // ---------------------------------------------------------------------------------------------------------

    private void play(Simulation shop, Recount history) {
        SimulationSettings settings = shop.settings();
        screen.section(
                "A shop from %s to %s: %,d customers, seed %d"
                        .formatted(
                                day(settings.start()),
                                day(settings.end()),
                                settings.people(),
                                settings.seed()));
        Set<String> invalid = new HashSet<>();
        Progress progress = new Progress(screen, history.sent(), "events answered");
        Delivery delivery =
                EventSender.ofEvents(mesh, 1000, 4)
                        .send(
                                shop.history()
                                        .peek(event -> {
                                            if (event.fate() == Fate.INVALID) {
                                                invalid.add(event.id());
                                            }
                                        })
                                        .map(event -> new Outgoing(event.id(), event.json()))
                                        .iterator(),
                                progress::at);
        screen.line(
                "  %,d events sent in %.1f s (%,.0f a second), %d retries"
                        .formatted(
                                delivery.sent(),
                                delivery.took().toMillis() / 1000.0,
                                delivery.perSecond(),
                                delivery.retries()));
        checks.equal("events accepted", history.accepted(), delivery.accepted());
        checks.equal("events rejected", history.invalid(), delivery.rejected());
        checks.that(
                "exactly the invalid ones were rejected",
                invalid.equals(Set.copyOf(delivery.rejectedIds())),
                "the " + invalid.size() + " made invalid",
                invalid.equals(Set.copyOf(delivery.rejectedIds()))
                        ? "the same " + invalid.size()
                        : "others");
        screen.curl("/api/v1/events/rejected?limit=5");
    }

    private void machines(Simulation shop) {
        Instant end = shop.settings().end();
        List<Outgoing> readings =
                shop.telemetry(end.minus(TELEMETRY_HOURS, ChronoUnit.HOURS), end)
                        .map(ShopDemo::outgoing)
                        .toList();
        Delivery delivery =
                EventSender.ofReadings(mesh, 500, 2).send(readings.iterator(), ignored -> {});
        checks.equal("telemetry readings accepted", readings.size(), delivery.accepted());
    }

    private static Outgoing outgoing(SimulatedReading reading) {
        return new Outgoing(reading.deviceId() + "@" + reading.timestamp(), reading.json());
    }

    private String rule(WebhookReceiver receiver) {
        Map<String, Object> rule = new LinkedHashMap<>();
        rule.put("type", "sla");
        rule.put("filter", Map.of("channel", "whatsapp"));
        rule.put(
                "threshold",
                Map.of("metric", "sla_breached", "value", ALERT_ABOVE, "window", "15m"));
        rule.put("status", "active");
        rule.put("recipients", List.of(Map.of("kind", "webhook", "url", receiver.url())));
        Answer answer = mesh.post("/api/v1/alerts/rules", rule).required("alert rule");
        return answer.body().path("id").asString("");
    }

    /** Plays live events in real time, an incident at the support desk in the middle; returns the last acceptance. */
    private Instant live(Simulation shop, Recount live, Duration lasts) {
        screen.section(
                "Live for " + lasts.toSeconds() + " s, with an incident at the support desk");
        EventSender events = EventSender.ofEvents(mesh, 500, 1);
        EventSender readings = EventSender.ofReadings(mesh, 500, 1);
        long first = Instant.now().getEpochSecond() + 1;
        Instant acceptedAt = Instant.now();
        for (long second = first; second < first + lasts.toSeconds(); second++) {
            List<SimulatedEvent> now = new ArrayList<>(shop.liveSecond(second, LIVE_RATE));
            if (second == first + lasts.toSeconds() / 2) {
                now.addAll(shop.incident(Instant.ofEpochSecond(second), INCIDENT_TICKETS));
            }
            sleepUntil(Instant.ofEpochSecond(second + 1));
            now.forEach(live::add);
            Delivery sent =
                    events.send(
                            now.stream()
                                    .map(event -> new Outgoing(event.id(), event.json()))
                                    .iterator(),
                            ignored -> {});
            readings.send(
                    shop.liveTelemetry(second).stream().map(ShopDemo::outgoing).iterator(),
                    ignored -> {});
            if (sent.rejected() > 0) {
                checks.equal("live events rejected", 0, sent.rejected());
            }
            acceptedAt = sent.lastAcceptedAt();
        }
        screen.line("  %,d live events".formatted(live.sent()));
        return acceptedAt;
    }

    private boolean countedUntil(Instant acceptedAt, Recount history) {
        String someone = history.purchases().keySet().iterator().next();
        Optional<Instant> asOf =
                Waiting.untilCounted(mesh, screen, options.patience(), acceptedAt, someone);
        checks.that(
                "everything accepted is counted (as_of)",
                asOf.isPresent(),
                "after " + acceptedAt,
                asOf.map(Instant::toString)
                        .orElse("not within " + options.patience().toSeconds() + " s"));
        return asOf.isPresent();
    }

    // --- out
    // --------------------------------------------------------------------------------------------------------

    private void totals(
            Recount history,
            Recount live,
            Figures others,
            Instant from,
            Instant to,
            Instant funnelTo) {
        Figures seen = Figures.read(mesh, from, to, funnelTo, FUNNEL).minus(others);
        long known = others.nothing() ? 0 : others.events();
        screen.section("Stored and counted once");
        if (known > 0) {
            screen.line("  (%,d events of others in this range are left out)".formatted(known));
        }
        screen.table(
                List.of(
                        List.of("", "history", "live"),
                        List.of("sent", count(history.sent()), count(live.sent())),
                        List.of("accepted", count(history.accepted()), count(live.accepted())),
                        List.of(
                                "of these repeats of an id",
                                count(history.duplicates()),
                                count(live.duplicates())),
                        List.of("rejected", count(history.invalid()), count(live.invalid())),
                        List.of("stored", count(history.stored()), count(live.stored()))));
        checks.equal("events stored", history.stored() + live.stored(), seen.events());
        checks.equal(
                "purchases counted",
                history.count("purchase") + live.count("purchase"),
                seen.purchases());
        checks.equal("revenue, USD", history.revenue().add(live.revenue()), seen.revenue());
        screen.curl("/api/v1/analytics/overview?start_time=" + from + "&end_time=" + to);

        screen.section("Funnel of the history, within 14 days");
        JsonNode funnel = mesh.funnel(FUNNEL, from, funnelTo);
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("step", "people", "from previous", "from first"));
        for (JsonNode step : funnel.path("steps")) {
            rows.add(
                    List.of(
                            step.path("name").asString(""),
                            count(step.path("users").asLong(0)),
                            percent(step.path("conversion_from_previous").asDouble(0)),
                            percent(step.path("conversion_from_first").asDouble(0))));
        }
        screen.table(rows);
        List<Integer> expected = history.funnel(FUNNEL, Duration.ofDays(14));
        for (int step = 0; step < FUNNEL.size(); step++) {
            checks.equal(
                    "people at " + FUNNEL.get(step),
                    expected.get(step),
                    step < seen.funnel().size() ? seen.funnel().get(step) : -1);
        }
        screen.curlPost(
                "/api/v1/analytics/funnel",
                JSON.writeValueAsString(MeshClient.funnelRequest(FUNNEL, from, funnelTo)));
    }

    /** Compares a seeded sample of customers at the history's last midnight, before anything live happened. */
    private void profiles(Recount history) {
        Instant at = Instant.now().truncatedTo(ChronoUnit.DAYS);
        LocalDate today = day(at);
        List<String> ids =
                history.purchases().keySet().stream()
                        .sorted(Comparator.comparing(String::hashCode))
                        .toList();
        int compared = 0;
        List<String> wrong = new ArrayList<>();
        for (String id : ids) {
            Recount.Purchases expected = history.purchases().get(id);
            if (compared == PROFILES_COMPARED
                    || expected == null
                    || !expected.last().isBefore(today)) {
                continue;
            }
            JsonNode rfm = mesh.segment(id, at).required("segment of " + id).body().path("rfm");
            long recency = ChronoUnit.DAYS.between(expected.last(), today);
            long seen = MeshClient.decimal(rfm.path("recency_days")).longValue();
            if (seen == 0) {
                continue; // bought something since, live
            }
            compared++;
            boolean same =
                    rfm.path("frequency").asLong(-1) == expected.frequency()
                            && MeshClient.decimal(rfm.path("monetary"))
                                            .compareTo(expected.monetary())
                                    == 0
                            && seen == recency;
            if (!same) {
                wrong.add(id + ": expected " + expected + ", saw " + rfm);
            }
        }
        wrong.stream().limit(3).forEach(line -> screen.line("  " + line));
        checks.that(
                "recency, frequency and monetary value are right",
                compared >= PROFILES_COMPARED / 2 && wrong.isEmpty(),
                "of " + compared + " customers",
                "of %d of %d customers compared".formatted(compared - wrong.size(), compared));
    }

    private void windows(Recount history, Instant from, Instant to) {
        screen.section("Daily snapshots: commerce and tickets");
        Map<LocalDate, Map<String, BigDecimal>> commerce =
                byDay(mesh.snapshots("commerce", "daily", from, to));
        Map<LocalDate, Map<String, BigDecimal>> tickets =
                byDay(mesh.snapshots("ticket", "daily", from, to));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("day", "purchases", "revenue", "tickets", "SLA breached"));
        LocalDate today = day(Instant.now());
        for (int back = 6; back >= 0; back--) {
            LocalDate day = today.minusDays(back);
            rows.add(
                    List.of(
                            day.toString(),
                            plain(commerce, day, "purchases"),
                            plain(commerce, day, "revenue"),
                            plain(tickets, day, "volume"),
                            plain(tickets, day, "sla_breached")));
        }
        screen.table(rows);
        LocalDate yesterday = today.minusDays(1);
        checks.equal(
                "tickets opened on " + yesterday,
                BigDecimal.valueOf(history.count(yesterday, "ticket.created")),
                value(tickets, yesterday, "volume"));
        screen.curl(
                "/api/v1/snapshots?scope=commerce&granularity=daily&metrics=purchases,revenue&start_time="
                        + today.minusDays(6)
                        + "T00:00:00Z");
    }

    private void segments(int buyers) {
        screen.section("Segments");
        JsonNode result =
                jobs.run(
                        "clustering",
                        "/api/v1/kpis/cluster",
                        Map.of("k", 4, "seed", options.seed()));
        List<JsonNode> kpis = new ArrayList<>();
        Answer answer = mesh.get("/api/v1/kpis").required("KPIs");
        items(answer.body()).forEach(kpis::add);
        checks.equal("clusters with KPIs", 4, kpis.size());
        screen.line("  model " + result.path("model_id").asString(result.toString()));
        List<List<String>> rows = new ArrayList<>();
        rows.add(
                List.of(
                        "cluster",
                        "users",
                        "average spend",
                        "engagement",
                        "share of revenue",
                        "what defines it"));
        long users = 0;
        for (JsonNode cluster : kpis) {
            users += cluster.path("total_users").asLong(0);
            rows.add(
                    List.of(
                            cluster.path("label").asString(cluster.path("cluster").asString("")),
                            count(cluster.path("total_users").asLong(0)),
                            rounded(cluster.path("average_spend")),
                            rounded(cluster.path("average_engagement")),
                            percent(cluster.path("revenue_share").asDouble(0)),
                            features(cluster.path("defining_features"))));
        }
        screen.table(rows);
        checks.that(
                "every cluster has people",
                users > 0 && kpis.stream().noneMatch(k -> k.path("total_users").asLong(0) == 0),
                "4 clusters with people",
                count(users) + " people");
        List<List<String>> rfm = new ArrayList<>();
        long bought = 0;
        rfm.add(List.of("segment", "kind", "users"));
        for (JsonNode segment : items(mesh.get("/api/v1/segments").required("segments").body())) {
            rfm.add(
                    List.of(
                            segment.path("name").asString(segment.path("id").asString("")),
                            segment.path("kind").asString(""),
                            count(segment.path("users").asLong(0))));
            if (segment.path("kind").asString("").equals("rfm")) {
                bought += segment.path("users").asLong(0);
            }
        }
        screen.table(rfm);
        checks.that(
                "everyone who bought is in a segment by RFM",
                bought >= buyers,
                "at least " + buyers,
                count(bought));
        screen.curl("/api/v1/kpis");
        screen.curl("/api/v1/segments");
    }

    private void risks(Simulation shop) {
        screen.section("Customers most at risk of leaving within 14 days");
        JsonNode model =
                jobs.run(
                        "churn training",
                        "/api/v1/models/churn/train",
                        Map.of("label", "inactivity", "horizon", HORIZON));
        double auc = model.path("metrics").path("roc_auc").path("value").asDouble(0);
        screen.line(
                "  model %s, ROC AUC %.3f on customers it had not seen"
                        .formatted(model.path("model_id").asString("?"), auc));
        checks.that(
                "the churn model ranks (ROC AUC)",
                auc >= 0.65 && auc < 0.999,
                "0.65 to 0.999",
                "%.3f".formatted(auc));
        List<JsonNode> predictions = awaitPredictions();
        predictions.sort(Comparator.comparingDouble(ShopDemo::probability).reversed());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("customer", "risk", "probability", "because"));
        predictions.stream()
                .limit(5)
                .forEach(prediction ->
                        rows.add(
                                List.of(
                                        prediction.path("customer_id").asString(""),
                                        prediction.path("risk").asString(""),
                                        percent(probability(prediction)),
                                        reasons(prediction))));
        screen.table(rows);
        checks.that(
                "each of them has reasons",
                !predictions.isEmpty()
                        && predictions.stream()
                                .limit(5)
                                .noneMatch(p -> p.path("reasons").isEmpty()),
                "reasons",
                predictions.isEmpty() ? "no predictions" : "reasons for all");
        double gone = meanRisk(predictions, shop, true);
        double here = meanRisk(predictions, shop, false);
        checks.that(
                "people who left are riskier than people who stay",
                gone > here + 0.05,
                "a higher mean risk",
                "%s against %s".formatted(percent(gone), percent(here)));
        screen.curl("/api/v1/predictions?limit=5");
        if (!predictions.isEmpty()) {
            screen.curl(
                    "/api/v1/users/"
                            + predictions.getFirst().path("customer_id").asString("")
                            + "/predictions");
        }
    }

    private List<JsonNode> awaitPredictions() {
        AtomicInteger seen = new AtomicInteger();
        Optional<List<JsonNode>> found =
                screen.await(
                        "predictions",
                        options.patience(),
                        () -> {
                            List<JsonNode> all = mesh.all("/api/v1/predictions");
                            boolean settled =
                                    all.size() >= options.people() / 3 && all.size() == seen.get();
                            seen.set(all.size());
                            return settled ? Optional.of(all) : Optional.empty();
                        },
                        () -> seen.get() + " so far");
        checks.that(
                "customers with a prediction",
                found.isPresent(),
                "at least " + options.people() / 3,
                String.valueOf(seen.get()));
        Map<String, JsonNode> newest = new LinkedHashMap<>();
        for (JsonNode prediction : found.orElse(List.of())) {
            newest.merge(
                    prediction.path("customer_id").asString(""),
                    prediction,
                    (a, b) ->
                            a.path("created_at")
                                                    .asString("")
                                                    .compareTo(b.path("created_at").asString(""))
                                            >= 0
                                    ? a
                                    : b);
        }
        return new ArrayList<>(newest.values());
    }

    private static double meanRisk(List<JsonNode> predictions, Simulation shop, boolean left) {
        return predictions.stream()
                .filter(p -> p.path("customer_id").asString("").startsWith("shop-"))
                .filter(p ->
                        shop.hasLeft(p.path("customer_id").asString(""), shop.settings().end())
                                == left)
                .mapToDouble(ShopDemo::probability)
                .average()
                .orElse(0);
    }

    private void effectiveness(Simulation shop) {
        String machine = shop.machineIds().getFirst();
        screen.section("Machine " + machine);
        JsonNode twin =
                mesh.get("/api/v1/industry40/twin/" + machine)
                        .required("twin of " + machine)
                        .body();
        checks.that(
                "the twin shows what the machine reports",
                twin.path("reported").has("temperature"),
                "a temperature",
                values(twin.path("reported")));
        Instant end = shop.settings().end();
        List<SimulatedReading> shift =
                shop.telemetry(end.minus(TELEMETRY_HOURS, ChronoUnit.HOURS), end)
                        .filter(reading -> reading.deviceId().equals(machine))
                        .toList();
        int produced = sum(shift, "produced");
        int good = sum(shift, "good");
        int stopped = shift.size() - sum(shift, "running");
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("planned_operation_minutes", shift.size());
        request.put("planned_downtime_minutes", 0);
        request.put("setup_minutes", 0);
        request.put("breakdown_minutes", stopped);
        request.put("minor_stop_minutes", 0);
        request.put("ideal_cycle_seconds", 6);
        request.put("produced", produced);
        request.put("good", good);
        JsonNode oee =
                mesh.post("/api/v1/industry40/oee/calculate", request).required("OEE").body();
        screen.line(
                "  availability %s × performance %s × quality %s = OEE %s"
                        .formatted(
                                percent(oee.path("availability").asDouble(0)),
                                percent(oee.path("performance").asDouble(0)),
                                percent(oee.path("quality").asDouble(0)),
                                percent(oee.path("oee").asDouble(0))));
        double ran = shift.size() - stopped;
        close("availability", ran / shift.size(), oee.path("availability"));
        close("performance", produced * 6 / 60.0 / ran, oee.path("performance"));
        close("quality", (double) good / produced, oee.path("quality"));
        close("OEE", good * 6 / 60.0 / shift.size(), oee.path("oee"));
        screen.curl("/api/v1/industry40/twin/" + machine);
        screen.curlPost("/api/v1/industry40/oee/calculate", JSON.writeValueAsString(request));
    }

    private void close(String name, double expected, JsonNode seen) {
        double value = seen.asDouble(Double.NaN);
        checks.that(
                name,
                Math.abs(value - expected) < 1e-4,
                "%.4f".formatted(expected),
                "%.4f".formatted(value));
    }

    private void alerts(WebhookReceiver receiver, String rule) {
        screen.section("Alerts");
        Optional<String> told =
                screen.await(
                        "the alert's webhook",
                        options.patience(),
                        () ->
                                receiver.received().stream()
                                        .filter(body -> body.contains(rule))
                                        .findFirst(),
                        () -> receiver.received().size() + " received");
        checks.that(
                "the webhook was told",
                told.isPresent(),
                "analytics.alert.triggered",
                shortened(told.orElse("nothing")));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("metric", "state", "value", "threshold", "since"));
        boolean fired = false;
        for (JsonNode alert : mesh.all("/api/v1/alerts")) {
            if (alert.path("rule_id").asString("").equals(rule)) {
                fired |= Set.of("firing", "resolved").contains(alert.path("state").asString(""));
                rows.add(
                        List.of(
                                alert.path("metric").asString(""),
                                alert.path("state").asString(""),
                                alert.path("value").asString(""),
                                alert.path("threshold").asString(""),
                                alert.path("started_at").asString("")));
            }
        }
        screen.table(rows);
        checks.that(
                "the alert fired", fired, "firing", fired ? "firing" : "no alert of rule " + rule);
        screen.curl("/api/v1/alerts");
    }

    /** Keeps playing and shows the newest figures every ten seconds, until Ctrl-C. */
    private void goOn(Simulation shop, Instant from) {
        screen.section("Playing on; Ctrl-C ends the demo, ./mesh down the mesh");
        Recount live = new Recount();
        while (!Thread.currentThread().isInterrupted()) {
            live(shop, live, Duration.ofSeconds(10));
            Instant to = Instant.now();
            JsonNode overview = mesh.overview(from, to.plus(1, ChronoUnit.DAYS));
            screen.line(
                    "  as of %s: %s events, %s users, revenue %s USD"
                            .formatted(
                                    overview.path("as_of").asString(""),
                                    count(overview.path("events").path("value").asLong(0)),
                                    count(overview.path("users").path("value").asLong(0)),
                                    overview.path("revenue").path("value").asString("0")));
        }
    }

    // --- inside
    // -----------------------------------------------------------------------------------------------------

    private static Figures figures(Recount recount) {
        return new Figures(
                recount.stored(),
                recount.count("purchase"),
                recount.revenue(),
                recount.funnel(FUNNEL, Duration.ofDays(14)).stream()
                        .map(Integer::longValue)
                        .toList());
    }

    private static Figures nothing() {
        return new Figures(0, 0, BigDecimal.ZERO, List.of());
    }

    /** A list route's items, or the array itself, or the array under the only name that holds one. */
    private static List<JsonNode> items(JsonNode body) {
        JsonNode array = body.isArray() ? body : body.path("items");
        if (!array.isArray()) {
            for (JsonNode value : body) {
                if (value.isArray()) {
                    array = value;
                    break;
                }
            }
        }
        List<JsonNode> items = new ArrayList<>();
        array.forEach(items::add);
        return items;
    }

    private static Map<LocalDate, Map<String, BigDecimal>> byDay(List<JsonNode> windows) {
        Map<LocalDate, Map<String, BigDecimal>> days = new LinkedHashMap<>();
        for (JsonNode window : windows) {
            LocalDate day = day(Instant.parse(window.path("start").asString("")));
            Map<String, BigDecimal> metrics =
                    days.computeIfAbsent(day, ignored -> new LinkedHashMap<>());
            window.path("metrics")
                    .properties()
                    .forEach(metric ->
                            metrics.merge(
                                    metric.getKey(),
                                    MeshClient.decimal(metric.getValue()),
                                    BigDecimal::add));
        }
        return days;
    }

    private static BigDecimal value(
            Map<LocalDate, Map<String, BigDecimal>> days, LocalDate day, String metric) {
        return days.getOrDefault(day, Map.of()).getOrDefault(metric, BigDecimal.ZERO);
    }

    private static String plain(
            Map<LocalDate, Map<String, BigDecimal>> days, LocalDate day, String metric) {
        return value(days, day, metric).toPlainString();
    }

    private static int sum(List<SimulatedReading> readings, String metric) {
        return readings.stream()
                .mapToInt(
                        reading -> ((Number) reading.metrics().getOrDefault(metric, 0)).intValue())
                .sum();
    }

    private static double probability(JsonNode prediction) {
        return prediction.path("probability").asDouble(0);
    }

    private static String features(JsonNode features) {
        return IntStream.range(0, Math.min(2, features.size()))
                .mapToObj(i -> features.get(i).path("text").asString(""))
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
    }

    /** The newest value of each metric: {@code name value}. */
    private static String values(JsonNode reported) {
        return reported.properties().stream()
                .map(metric -> metric.getKey() + " " + metric.getValue().path("value").asString(""))
                .reduce((a, b) -> a + ", " + b)
                .orElse("nothing");
    }

    private static String reasons(JsonNode prediction) {
        JsonNode reasons = prediction.path("reasons");
        return IntStream.range(0, Math.min(2, reasons.size()))
                .mapToObj(i ->
                        reasons.get(i)
                                .path("text")
                                .asString(reasons.get(i).path("feature").asString("")))
                .reduce((a, b) -> a + "; " + b)
                .orElse("");
    }

    private static String count(long value) {
        return "%,d".formatted(value);
    }

    private static String percent(double share) {
        return "%.1f%%".formatted(share * 100);
    }

    private static String rounded(JsonNode number) {
        return MeshClient.decimal(number).setScale(2, RoundingMode.HALF_UP).toPlainString();
    }

    private static String shortened(@Nullable String text) {
        String whole = text == null ? "" : text;
        return whole.length() > 110 ? whole.substring(0, 109) + "…" : whole;
    }

    private static LocalDate day(Instant at) {
        return LocalDate.ofInstant(at, ZoneOffset.UTC);
    }

    private static void sleepUntil(Instant at) {
        Duration wait = Duration.between(Instant.now(), at);
        if (wait.isPositive()) {
            Screen.pause(wait);
        }
    }
}
