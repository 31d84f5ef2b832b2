package io.mirante.bench.client;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Sends many events in batches, a few in flight. What is not acknowledged (503, 429, no answer at all, or {@code retry}
 * for single events) is sent again with the same ids, honouring Retry-After, for up to three minutes. Thread-safe.
 */
public final class EventSender {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final MeshClient client;
    private final String path;
    private final String arrayName;
    private final int batchSize;
    private final int inFlight;
    private final AtomicBoolean gzip = new AtomicBoolean(true);

    private EventSender(
            MeshClient client, String path, String arrayName, int batchSize, int inFlight) {
        this.client = client;
        this.path = path;
        this.arrayName = arrayName;
        this.batchSize = batchSize;
        this.inFlight = inFlight;
    }

    /** To {@code /events/batch}. */
    public static EventSender ofEvents(MeshClient client, int batchSize, int inFlight) {
        return new EventSender(client, "/api/v1/events/batch", "events", batchSize, inFlight);
    }

    /** To {@code /industry40/iot/ingest}. */
    public static EventSender ofReadings(MeshClient client, int batchSize, int inFlight) {
        return new EventSender(
                client, "/api/v1/industry40/iot/ingest", "readings", batchSize, inFlight);
    }

    /**
     * Sends all of it and returns when everything has its answer.
     *
     * @param onAnswered told the number of events answered so far, from several threads
     * @throws MeshException when the mesh answers with an error that a retry cannot mend, or not in time
     */
    public Delivery send(Iterator<Outgoing> events, LongConsumer onAnswered) {
        Instant begin = Instant.now();
        Tally tally = new Tally(onAnswered);
        Semaphore permits = new Semaphore(inFlight);
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            while (events.hasNext() && tally.failure.get() == null) {
                List<Outgoing> batch = new ArrayList<>(batchSize);
                while (batch.size() < batchSize && events.hasNext()) {
                    batch.add(events.next());
                }
                permits.acquireUninterruptibly();
                threads.execute(() -> {
                    try {
                        deliver(batch, tally);
                    } catch (RuntimeException e) {
                        tally.failure.compareAndSet(null, e);
                    } finally {
                        permits.release();
                    }
                });
            }
        }
        RuntimeException failure = tally.failure.get();
        if (failure != null) {
            throw failure;
        }
        return tally.delivery(Duration.between(begin, Instant.now()));
    }

    private void deliver(List<Outgoing> batch, Tally tally) {
        List<Outgoing> open = batch;
        Instant giveUp = Instant.now().plus(PATIENCE);
        while (!open.isEmpty()) {
            Answer answer = post(open, tally);
            List<Outgoing> again = new ArrayList<>();
            long accepted = open.size();
            for (JsonNode result : answer.body().path("results")) {
                String status = result.path("status").asString("");
                Outgoing event = open.get(result.path("index").asInt(0));
                if (status.equals("rejected")) {
                    accepted--;
                    tally.rejected.add(event.id());
                } else if (status.equals("retry")) {
                    accepted--;
                    again.add(event);
                }
            }
            long stated = answer.body().path("accepted").asLong(accepted);
            if (stated != accepted) {
                throw new MeshException(
                        "%s said accepted %d of %d but listed %d that were not"
                                .formatted(path, stated, open.size(), open.size() - accepted));
            }
            tally.accepted(accepted, open.size() - again.size());
            if (!again.isEmpty()) {
                if (Instant.now().isAfter(giveUp)) {
                    throw new MeshException(
                            "the mesh asked for retries for " + PATIENCE.toMinutes() + " minutes");
                }
                tally.retries.incrementAndGet();
                MeshClient.pause(Duration.ofMillis(250));
            }
            open = again;
        }
    }

    private Answer post(List<Outgoing> events, Tally tally) {
        byte[] body = body(events);
        while (true) {
            boolean zipped = gzip.get();
            Answer answer =
                    MeshClient.patiently(
                            () -> client.exchange("POST", path, body, zipped),
                            PATIENCE,
                            ignored -> tally.retries.incrementAndGet());
            if (zipped && (answer.status() == 415 || answer.status() == 400)) {
                gzip.set(false);
                continue;
            }
            return answer.required("POST " + path);
        }
    }

    private byte[] body(List<Outgoing> events) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(events.size() * 400);
        out.writeBytes(("{\"" + arrayName + "\":[").getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < events.size(); i++) {
            if (i > 0) {
                out.write(',');
            }
            out.writeBytes(events.get(i).json());
        }
        out.writeBytes("]}".getBytes(StandardCharsets.UTF_8));
        return out.toByteArray();
    }

    private static final class Tally {
        final AtomicLong answered = new AtomicLong();
        final AtomicLong acceptedTotal = new AtomicLong();
        final AtomicLong retries = new AtomicLong();
        final ConcurrentLinkedQueue<String> rejected = new ConcurrentLinkedQueue<>();
        final AtomicReference<Instant> lastAcceptedAt = new AtomicReference<>(Instant.now());
        final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        private final LongConsumer onAnswered;

        Tally(LongConsumer onAnswered) {
            this.onAnswered = onAnswered;
        }

        void accepted(long count, long done) {
            acceptedTotal.addAndGet(count);
            Instant now = Instant.now();
            lastAcceptedAt.updateAndGet(last -> now.isAfter(last) ? now : last);
            onAnswered.accept(answered.addAndGet(done));
        }

        Delivery delivery(Duration took) {
            return new Delivery(
                    answered.get(),
                    acceptedTotal.get(),
                    List.copyOf(rejected),
                    retries.get(),
                    Objects.requireNonNull(lastAcceptedAt.get()),
                    took);
        }
    }
}
