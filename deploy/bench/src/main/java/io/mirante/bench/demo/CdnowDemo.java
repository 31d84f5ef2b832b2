package io.mirante.bench.demo;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.Delivery;
import io.mirante.bench.client.EventSender;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.Outgoing;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** Plays the real purchases of CDNOW and reads every total, and every customer, back through the gateway. */
final class CdnowDemo {
    private static final int SAMPLE = 500;

    private final MeshClient mesh;
    private final Screen screen;
    private final Checks checks;
    private final DemoOptions options;

    CdnowDemo(MeshClient mesh, Screen screen, Checks checks, DemoOptions options) {
        this.mesh = mesh;
        this.screen = screen;
        this.checks = checks;
        this.options = options;
    }

    void run(Path folder) {
        CdnowFile file = CdnowFile.read(folder.resolve("cdnow").resolve("CDNOW_master.txt"));
        Map<String, CdnowFile.Customer> customers = file.customers();
        Instant begin = file.begin();
        Instant end = file.end();
        screen.section(
                "Real purchases: CDNOW, %s to %s".formatted(day(begin), day(end.minusSeconds(1))));
        Delivery delivery = play(file);
        checks.equal("purchases accepted", file.purchases().size(), delivery.accepted());
        checks.equal("purchases rejected", 0, delivery.rejected());
        if (!caughtUp(delivery.lastAcceptedAt(), customers)) {
            return;
        }
        totals(file, customers.size(), begin, end);
        everyone(customers, end);
    }

    private Delivery play(CdnowFile file) {
        Stream<Outgoing> events = file.purchases().stream().map(CdnowFile.Purchase::outgoing);
        long total = file.purchases().size();
        Progress progress = new Progress(screen, total, "purchases acknowledged");
        Delivery delivery =
                EventSender.ofEvents(mesh, 1000, 4).send(events.iterator(), progress::at);
        screen.line(
                "  %,d purchases in %.1f s (%,.0f a second), %d retries"
                        .formatted(
                                delivery.sent(),
                                delivery.took().toMillis() / 1000.0,
                                delivery.perSecond(),
                                delivery.retries()));
        return delivery;
    }

    private boolean caughtUp(Instant acceptedAt, Map<String, CdnowFile.Customer> customers) {
        String someone = customers.keySet().iterator().next();
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

    private void totals(CdnowFile file, int customers, Instant begin, Instant end) {
        BigDecimal revenue = BigDecimal.ZERO;
        long purchases = 0;
        for (JsonNode window : mesh.snapshots("commerce", "daily", begin, end)) {
            revenue = revenue.add(MeshClient.decimal(window.path("metrics").path("revenue")));
            purchases += MeshClient.decimal(window.path("metrics").path("purchases")).longValue();
        }
        JsonNode overview = mesh.overview(begin, end);
        screen.section("Totals of the file's time range");
        checks.equal("purchases in daily snapshots", file.purchases().size(), purchases);
        checks.equal("revenue in daily snapshots, USD", file.revenue(), revenue);
        checks.equal(
                "customers in the overview",
                customers,
                overview.path("users").path("value").asLong(0));
        checks.equal(
                "revenue in the overview, USD",
                file.revenue(),
                MeshClient.decimal(overview.path("revenue").path("value")));
        screen.curl(
                "/api/v1/snapshots?scope=commerce&granularity=daily&start_time="
                        + begin
                        + "&end_time="
                        + end);
        screen.curl("/api/v1/analytics/overview?start_time=" + begin + "&end_time=" + end);
    }

    /** Everyone through the lists of the RFM segments, some also one by one. */
    private void everyone(Map<String, CdnowFile.Customer> customers, Instant at) {
        screen.section("Frequency, recency and monetary value per customer at " + at);
        Progress progress = new Progress(screen, customers.size(), "customers compared");
        List<String> wrong = new ArrayList<>();
        Set<String> listed = new HashSet<>();
        for (JsonNode segment : mesh.all("/api/v1/segments")) {
            if (!segment.path("kind").asString("").equals("rfm")) {
                continue;
            }
            String users =
                    "/api/v1/segments/" + segment.path("id").asString("") + "/users?at=" + at;
            for (JsonNode user : mesh.all(users)) {
                String id = user.path("user_id").asString("");
                CdnowFile.Customer expected = customers.get(id);
                if (expected == null) {
                    continue; // bought in the same mesh, but not in this file
                }
                if (!listed.add(id)) {
                    wrong.add(id + ": in two segments");
                }
                difference(id, expected, user.path("rfm"), at).ifPresent(wrong::add);
                progress.oneMore();
            }
        }
        wrong.stream().limit(5).forEach(line -> screen.line("  " + line));
        checks.equal(
                "customers as a recount of the file has them",
                customers.size(),
                listed.size() - wrong.size());
        oneByOne(customers, at);
    }

    private void oneByOne(Map<String, CdnowFile.Customer> customers, Instant at) {
        List<String> ids = new ArrayList<>(customers.keySet());
        Collections.shuffle(ids, new Random(options.seed()));
        ids = ids.subList(0, Math.min(SAMPLE, ids.size()));
        List<String> wrong = new ArrayList<>();
        for (String id : ids) {
            Answer answer = mesh.segment(id, at);
            if (answer.ok()) {
                difference(
                                id,
                                Objects.requireNonNull(customers.get(id)),
                                answer.body().path("rfm"),
                                at)
                        .ifPresent(wrong::add);
            } else {
                wrong.add(id + ": " + answer.summary());
            }
        }
        wrong.stream().limit(5).forEach(line -> screen.line("  " + line));
        checks.equal(
                "customers asked for one by one, the same", ids.size(), ids.size() - wrong.size());
        screen.curl("/api/v1/users/" + ids.getFirst() + "/segment?at=" + at);
    }

    private static Optional<String> difference(
            String id, CdnowFile.Customer expected, JsonNode rfm, Instant at) {
        long recency =
                ChronoUnit.DAYS.between(expected.last(), LocalDate.ofInstant(at, ZoneOffset.UTC));
        boolean same =
                rfm.path("frequency").asLong(-1) == expected.days().size()
                        && MeshClient.decimal(rfm.path("recency_days"))
                                        .compareTo(BigDecimal.valueOf(recency))
                                == 0
                        && MeshClient.decimal(rfm.path("monetary")).compareTo(expected.monetary())
                                == 0;
        return same
                ? Optional.empty()
                : Optional.of(
                        "%s: expected frequency %d, recency %d, monetary %s; saw %s"
                                .formatted(
                                        id,
                                        expected.days().size(),
                                        recency,
                                        expected.monetary(),
                                        rfm));
    }

    private static LocalDate day(Instant at) {
        return LocalDate.ofInstant(at, ZoneOffset.UTC);
    }
}
