package io.mirante.bench.endtoend;

import io.mirante.bench.client.Answer;
import io.mirante.bench.client.MeshClient;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Clients that send seeded events, single and in batches, and every attempt's outcome to a ledger. What was not acknowledged
 * is sent again, with the same ids, until it is. Each sender is one thread and one request in flight.
 */
final class LedgerLoad implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(6);

    /**
     * Who sends.
     *
     * @param tenant part of its events' ids, which no other tenant may ever see
     */
    record Sender(String tenant, MeshClient client) {}

    /**
     * One attempt.
     *
     * @param status of the answer, 0 without one
     */
    record Attempt(Instant at, Duration took, int status, Duration retryAfter, String said) {

        /** An answer that a client can live with: settled, or when to come back. */
        boolean clear() {
            return status == 200
                    || status == 202
                    || status == 207
                    || status == 400
                    || ((status == 503 || status == 429) && retryAfter.isPositive());
        }
    }

    private final Ledger ledger;
    private final String prefix;
    private final boolean repeating;
    private final Duration pause;
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Attempt> attempts = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable Throwable> trouble = new AtomicReference<>();
    private volatile boolean going = true;

    /**
     * Starts.
     *
     * @param prefix of every id
     * @param repeating whether now and then an event is sent again after its acknowledgement, as it was or changed
     * @param pause of each sender between requests
     */
    LedgerLoad(
            Ledger ledger,
            List<Sender> senders,
            String prefix,
            long seed,
            boolean repeating,
            Duration pause) {
        this.ledger = ledger;
        this.prefix = prefix;
        this.repeating = repeating;
        this.pause = pause;
        for (int i = 0; i < senders.size(); i++) {
            Worker worker = new Worker(senders.get(i), senders, i, new Random(seed + i));
            threads.add(Thread.ofVirtual().name("load-" + i).start(worker));
        }
    }

    /** Ends once what is open has its acknowledgement. */
    void stop() {
        going = false;
        try {
            for (Thread thread : threads) {
                if (!thread.join(PATIENCE)) {
                    throw new AssertionError("still not acknowledged after " + PATIENCE);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        Throwable seen = trouble.get();
        if (seen != null) {
            throw new AssertionError(seen.getMessage(), seen);
        }
    }

    boolean failed() {
        return trouble.get() != null;
    }

    /** Attempts that ended in a span of time. */
    List<Attempt> attempts(Instant from, Instant to) {
        return attempts.stream()
                .filter(a -> !a.at().isBefore(from) && a.at().isBefore(to))
                .toList();
    }

    List<Attempt> attempts() {
        return List.copyOf(attempts);
    }

    /** How long after an instant the first event was acknowledged; null when none was yet. */
    @Nullable Duration untilAcknowledged(Instant from) {
        return attempts.stream()
                .filter(a -> a.at().isAfter(from) && a.status() >= 200 && a.status() < 300)
                .map(a -> Duration.between(from, a.at()))
                .min(Duration::compareTo)
                .orElse(null);
    }

    @Override
    public void close() {
        going = false;
        threads.forEach(Thread::interrupt);
    }

    private final class Worker implements Runnable {
        private final Sender sender;
        private final List<String> strangers;
        private final int number;
        private final Random random;
        private final List<Ledger.Sent> settled = new ArrayList<>();
        private int made;

        Worker(Sender sender, List<Sender> all, int number, Random random) {
            this.sender = sender;
            this.strangers =
                    all.stream()
                            .map(Sender::tenant)
                            .filter(tenant -> !tenant.equals(sender.tenant()))
                            .distinct()
                            .map(tenant -> prefix + tenant + "-")
                            .toList();
            this.number = number;
            this.random = random;
        }

        @Override
        public void run() {
            try {
                while (going && trouble.get() == null) {
                    List<Ledger.Sent> open = new ArrayList<>();
                    int size = random.nextInt(4) == 0 ? 1 : 1 + random.nextInt(40);
                    for (int i = 0; i < size; i++) {
                        open.add(next());
                    }
                    deliver(open);
                }
            } catch (RuntimeException | AssertionError e) {
                if (!Thread.currentThread().isInterrupted()) {
                    trouble.compareAndSet(null, e);
                }
            }
        }

        private void deliver(List<Ledger.Sent> events) {
            List<Ledger.Sent> open = events;
            Instant giveUp = Instant.now().plus(PATIENCE);
            while (!open.isEmpty()) {
                if (Instant.now().isAfter(giveUp)) {
                    throw new AssertionError("not acknowledged within " + PATIENCE);
                }
                open = open.size() == 1 ? single(open.getFirst()) : batch(open);
                await(pause);
            }
        }

        private List<Ledger.Sent> single(Ledger.Sent event) {
            Answer answer = attempt("/api/v1/events", body("{\"event\":", List.of(event), "}"));
            if (answer != null && answer.status() == 202) {
                settle(event, 'A');
                return List.of();
            }
            if (answer != null && answer.status() == 400) {
                settle(event, 'R');
                return List.of();
            }
            return again(List.of(event), answer);
        }

        private List<Ledger.Sent> batch(List<Ledger.Sent> events) {
            Answer answer = attempt("/api/v1/events/batch", body("{\"events\":[", events, "]}"));
            if (answer == null || (answer.status() != 200 && answer.status() != 207)) {
                return again(events, answer);
            }
            Map<Integer, String> other = new HashMap<>();
            for (JsonNode result : answer.body().path("results")) {
                other.put(
                        result.path("index").asInt(-1), result.path("status").asString("accepted"));
            }
            List<Ledger.Sent> accepted = new ArrayList<>();
            List<Ledger.Sent> refused = new ArrayList<>();
            List<Ledger.Sent> open = new ArrayList<>();
            for (int i = 0; i < events.size(); i++) {
                switch (other.getOrDefault(i, "accepted")) {
                    case "accepted" -> accepted.add(events.get(i));
                    case "rejected" -> refused.add(events.get(i));
                    default -> open.add(events.get(i));
                }
            }
            ledger.write(accepted, 'A');
            ledger.write(refused, 'R');
            ledger.write(open, 'U');
            settled.addAll(accepted);
            return open;
        }

        private void settle(Ledger.Sent event, char outcome) {
            ledger.write(List.of(event), outcome);
            if (outcome == 'A') {
                settled.add(event);
            }
        }

        private List<Ledger.Sent> again(List<Ledger.Sent> events, @Nullable Answer answer) {
            ledger.write(events, 'U');
            if (answer != null && answer.status() < 500 && answer.status() != 429) {
                throw new AssertionError("unexpected answer to good events: " + answer.summary());
            }
            return events;
        }

        private @Nullable Answer attempt(String path, byte[] body) {
            long begin = System.nanoTime();
            Answer answer = null;
            String said = "";
            try {
                answer = sender.client().exchange("POST", path, body, random.nextInt(4) == 0);
                for (String stranger : strangers) {
                    if (answer.text().contains(stranger)) {
                        throw new AssertionError("I8: another tenant's id in " + answer.text());
                    }
                }
                said = answer.status() >= 300 ? answer.summary() : "";
            } catch (UncheckedIOException e) {
                said = String.valueOf(e.getCause());
            }
            attempts.add(
                    new Attempt(
                            Instant.now(),
                            Duration.ofNanos(System.nanoTime() - begin),
                            answer == null ? 0 : answer.status(),
                            answer == null ? Duration.ZERO : answer.retryAfter(),
                            said));
            return answer;
        }

        private Ledger.Sent next() {
            int dice = random.nextInt(100);
            if (repeating && dice < 4 && !settled.isEmpty()) {
                Ledger.Sent earlier = settled.get(random.nextInt(settled.size()));
                // One in four is another event under the same id.
                return dice > 0
                        ? earlier
                        : new Ledger.Sent(
                                earlier.tenant(),
                                earlier.id(),
                                json(earlier.id(), "purchase", amount(random.nextInt(1_000)))
                                        .getBytes(StandardCharsets.UTF_8));
            }
            String id = prefix + sender.tenant() + "-" + number + "-" + made++;
            String event;
            if (dice < 8) {
                event = json(id, "purchase", "\"amount\":\"twelve\",\"currency\":\"USD\"");
            } else if (dice < 30) {
                event = json(id, "page_view", "\"url\":\"/\"");
            } else if (dice < 34) {
                event =
                        json(id, "page_view", "\"url\":\"/\"")
                                .replaceFirst("}$", ",\"priority\":\"critical\"}");
            } else {
                event = json(id, "purchase", amount(random.nextInt(10_000)));
            }
            return new Ledger.Sent(sender.tenant(), id, event.getBytes(StandardCharsets.UTF_8));
        }

        private static String amount(int cents) {
            return "\"amount\":\"%d.%02d\",\"currency\":\"USD\""
                    .formatted(cents / 100, cents % 100);
        }

        private String json(String id, String type, String data) {
            return "{\"event_id\":\"%s\",\"user_id\":\"%su-%d\",\"timestamp\":\"%s\",\"event_type\":{\"type\":\"%s\",\"data\":{%s}}}"
                    .formatted(
                            id,
                            prefix,
                            random.nextInt(50),
                            Instant.now()
                                    .truncatedTo(ChronoUnit.MILLIS)
                                    .minusSeconds(random.nextInt(7_200)),
                            type,
                            data);
        }
    }

    private static byte[] body(String open, List<Ledger.Sent> events, String close) {
        var out = new ByteArrayOutputStream();
        out.writeBytes(open.getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < events.size(); i++) {
            if (i > 0) {
                out.write(',');
            }
            out.writeBytes(events.get(i).json());
        }
        out.writeBytes(close.getBytes(StandardCharsets.UTF_8));
        return out.toByteArray();
    }

    /** Paces the load; no condition waits on it. */
    private static void await(Duration pause) {
        try {
            TimeUnit.NANOSECONDS.sleep(pause.toNanos());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
