package io.mirante.bench.sustained;

import io.mirante.bench.Options;
import io.mirante.bench.client.Delivery;
import io.mirante.bench.client.EventSender;
import io.mirante.bench.client.MeshClient;
import io.mirante.bench.client.MeshException;
import io.mirante.bench.client.Outgoing;
import io.mirante.bench.mesh.BenchMesh;
import io.mirante.bench.mesh.Lag;
import io.mirante.bench.simulation.SimulatedEvent;
import io.mirante.bench.simulation.Simulation;
import io.mirante.bench.simulation.SimulationSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/**
 * A whole mesh under a steady stream of the shop's live events, in batches through the gateway: whether the lag of its
 * consumers stays flat, what each process spends on an event, and whether all that was accepted is counted in the end. The
 * rate is the clock's: a mesh that is slow to answer does not slow it down until all connections wait.
 */
public final class SustainedBench {
    private static final int BATCH = 100;
    private static final int IN_FLIGHT = 16;
    private static final int PEOPLE = 20_000;
    private static final long SEED = 11;
    private static final Duration SAMPLE = Duration.ofSeconds(10);
    private static final Duration DRAIN_LIMIT = Duration.ofMinutes(10);

    /** A lag of so many seconds' events is what polls and transactions under way make up at any moment. */
    private static final int SECONDS_UNDER_WAY = 3;

    private final PrintStream out;
    private final BenchMesh mesh;
    private final int rate;
    private final int warmUp;
    private final int minutes;
    private final List<Long> lags = new ArrayList<>();

    /** When the measured minutes began: what was answered before, and CPU time of each process. */
    private long answeredBefore;

    private Map<String, Long> cpuBefore = Map.of();

    private SustainedBench(PrintStream out, BenchMesh mesh, int rate, int warmUp, int minutes) {
        this.out = out;
        this.mesh = mesh;
        this.rate = rate;
        this.warmUp = warmUp;
        this.minutes = minutes;
    }

    /**
     * Runs and prints.
     *
     * @param arguments {@code --rate N} events a second, {@code --minutes N} measured, after {@code --warm-up N} minutes at the same rate
     *     in which the JVMs compile
     * @return exit code; 1 when the lag grew or something that was accepted is not counted
     */
    public static int run(List<String> arguments, PrintStream out) {
        Options options =
                Options.of("sustained")
                        .number("--rate", 3_000, 10, 100_000)
                        .number("--minutes", 10, 1, 600)
                        .number("--warm-up", 3, 0, 60)
                        .read(arguments);
        var passed = new boolean[1];
        int code =
                BenchMesh.use(
                        "sustained",
                        Map.of("MESH_ALL_TIERS", "on", "MESH_AOT", "off"),
                        out,
                        mesh -> {
                            mesh.run("up", "--detach");
                            passed[0] =
                                    new SustainedBench(
                                                    out,
                                                    mesh,
                                                    options.value("--rate"),
                                                    options.value("--warm-up"),
                                                    options.value("--minutes"))
                                            .measure();
                        });
        return code == 0 && !passed[0] ? 1 : code;
    }

    private boolean measure() throws IOException, InterruptedException {
        List<BenchMesh.Part> parts = mesh.parts();
        out.printf(
                "%,d events a second for %d minutes after %d to warm up, batches of %d through the gateway,"
                        + " all services on%n",
                rate, minutes, warmUp, BATCH);
        Instant begin = Instant.now().plusSeconds(1).truncatedTo(ChronoUnit.SECONDS);
        Instant measured = begin.plus(Duration.ofMinutes(warmUp));
        Instant end = measured.plus(Duration.ofMinutes(minutes));
        try (MeshClient client =
                        new MeshClient(
                                URI.create("http://127.0.0.1:" + port(parts, "gateway")),
                                "dev-key-123");
                Lag lag = new Lag("127.0.0.1:" + port(parts, "kafka"))) {
            Delivery delivery = send(client, lag, parts, begin, measured, end);
            Instant sent = Instant.now();
            Map<String, Long> left = lag.byGroup();
            while (sum(left) > 0) {
                if (Instant.now().isAfter(sent.plus(DRAIN_LIMIT))) {
                    throw new MeshException("the lag was still " + left + " after " + DRAIN_LIMIT);
                }
                TimeUnit.MILLISECONDS.sleep(500);
                left = lag.byGroup();
            }
            Duration drained = Duration.between(sent, Instant.now());
            Map<String, Long> after = cpu(parts);
            long counted = awaitCounted(client, begin, end, delivery.accepted());
            print(delivery, drained, counted, after);
            return flat() && counted == delivery.accepted() && delivery.rejected() == 0;
        }
    }

    private Delivery send(
            MeshClient client,
            Lag lag,
            List<BenchMesh.Part> parts,
            Instant begin,
            Instant measured,
            Instant end)
            throws InterruptedException {
        Instant start = begin.truncatedTo(ChronoUnit.DAYS).minus(Duration.ofDays(30));
        Iterator<SimulatedEvent> live =
                new Simulation(
                                SimulationSettings.of(
                                        SEED, start, begin.truncatedTo(ChronoUnit.DAYS), PEOPLE))
                        .live(begin, rate)
                        .takeWhile(event -> event.sendAt().isBefore(end))
                        .iterator();
        AtomicLong answered = new AtomicLong();
        CompletableFuture<Delivery> sending =
                CompletableFuture.supplyAsync(
                        () ->
                                EventSender.ofEvents(client, BATCH, IN_FLIGHT)
                                        .send(new OnTime(live), answered::set),
                        task -> Thread.ofPlatform().daemon().name("sender").start(task));
        waitFor(sending, measured);
        if (warmUp > 0) {
            out.printf("  warm-up done, lag %s%n", behind(lag.byGroup()));
        }
        cpuBefore = cpu(parts);
        answeredBefore = answered.get();
        long lastAnswered = answeredBefore;
        for (Instant next = measured.plus(SAMPLE); !sending.isDone(); next = next.plus(SAMPLE)) {
            waitFor(sending, next);
            Map<String, Long> now = lag.byGroup();
            lags.add(sum(now));
            if (lags.size() % 6 == 0) {
                out.printf(
                        "  minute %2d: %,7.0f events a second, lag %,d %s%n",
                        lags.size() / 6,
                        (answered.get() - lastAnswered) / 60.0,
                        sum(now),
                        behind(now));
                lastAnswered = answered.get();
            }
        }
        return sending.join();
    }

    private static void waitFor(CompletableFuture<?> sending, Instant until)
            throws InterruptedException {
        while (!sending.isDone() && Instant.now().isBefore(until)) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /** Hands out each event when its time has come; late events at once. */
    private static final class OnTime implements Iterator<Outgoing> {
        private final Iterator<SimulatedEvent> events;

        OnTime(Iterator<SimulatedEvent> events) {
            this.events = events;
        }

        @Override
        public boolean hasNext() {
            return events.hasNext();
        }

        @Override
        public Outgoing next() {
            SimulatedEvent event = events.next();
            Outgoing ready = new Outgoing(event.id(), event.json());
            for (long wait = until(event); wait > 0; wait = until(event)) {
                LockSupport.parkNanos(wait);
            }
            return ready;
        }

        private static long until(SimulatedEvent event) {
            return Duration.between(Instant.now(), event.sendAt()).toNanos();
        }
    }

    /** No more than what is under way, or in the last third no more than in the first. */
    private boolean flat() {
        int third = Math.max(1, lags.size() / 3);
        long first = median(lags.subList(0, Math.min(third, lags.size())));
        long last = median(lags.subList(Math.max(0, lags.size() - third), lags.size()));
        return last <= Math.max(first, (long) rate * SECONDS_UNDER_WAY);
    }

    private static long sum(Map<String, Long> lags) {
        return lags.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The groups that are behind, the last first. */
    private static String behind(Map<String, Long> lags) {
        return lags.entrySet().stream()
                .filter(each -> each.getValue() > 0)
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .map(each -> "%s %,d".formatted(each.getKey(), each.getValue()))
                .collect(Collectors.joining(", ", "(", ")"));
    }

    private static long median(List<Long> all) {
        return all.isEmpty() ? 0 : all.stream().sorted().toList().get(all.size() / 2);
    }

    /** Events in the hourly snapshots of the run; waits until they are what was accepted, or change no more. */
    private long awaitCounted(MeshClient client, Instant begin, Instant end, long accepted)
            throws InterruptedException {
        Instant limit = Instant.now().plusSeconds(60);
        long counted = counted(client, begin, end);
        while (counted != accepted && Instant.now().isBefore(limit)) {
            TimeUnit.SECONDS.sleep(1);
            counted = counted(client, begin, end);
        }
        return counted;
    }

    private static long counted(MeshClient client, Instant begin, Instant end) {
        Instant from = begin.truncatedTo(ChronoUnit.HOURS);
        Instant to = end.truncatedTo(ChronoUnit.HOURS).plus(1, ChronoUnit.HOURS);
        long sum = 0;
        for (JsonNode window : client.snapshots("event", "hourly", from, to)) {
            sum += MeshClient.decimal(window.path("metrics").path("events")).longValueExact();
        }
        return sum;
    }

    private void print(Delivery delivery, Duration drained, long counted, Map<String, Long> after)
            throws IOException, InterruptedException {
        long events = delivery.accepted() + delivery.rejected() - answeredBefore;
        out.printf(
                "JDK %s, %d processors%n",
                Runtime.version(), Runtime.getRuntime().availableProcessors());
        out.printf(
                "  accepted        %,12d   (%,.0f a second measured; %d rejected, %d requests repeated)%n",
                delivery.accepted(),
                events / (minutes * 60.0),
                delivery.rejected(),
                delivery.retries());
        out.printf("  counted         %,12d%n", counted);
        out.printf(
                "  lag             %,12d   median (at most %,d; %s); none %.1f s after the end%n",
                median(lags),
                lags.stream().mapToLong(Long::longValue).max().orElse(0),
                flat() ? "flat" : "GROWING",
                drained.toMillis() / 1e3);
        out.println("CPU microseconds an event, and memory (PSS)");
        for (BenchMesh.Part part : mesh.parts()) {
            long nanos =
                    after.getOrDefault(part.name(), 0L) - cpuBefore.getOrDefault(part.name(), 0L);
            out.printf(
                    "  %-15s %12.1f %8d MiB%n",
                    part.name(), nanos / 1e3 / events, part.pssBytes() >> 20);
        }
    }

    private static Map<String, Long> cpu(List<BenchMesh.Part> parts) {
        Map<String, Long> nanos = new LinkedHashMap<>();
        parts.forEach(part -> nanos.put(part.name(), part.cpuNanos()));
        return nanos;
    }

    private static int port(List<BenchMesh.Part> parts, String name) {
        return parts.stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new MeshException("the mesh has no part " + name))
                .port();
    }
}
