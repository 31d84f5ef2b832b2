package io.mirante.platform.audit;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.platform.messaging.EventSender;
import io.mirante.platform.messaging.Outgoing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Sends audit entries from a bounded queue, on a thread of its own. Accounting: recorded = sent + dropped (the queue was
 * full) + failed (Kafka did not take it), as {@code mirante.audit} by outcome. Thread-safe.
 */
public final class AuditTrail implements SmartLifecycle {

    static final int QUEUE = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(AuditTrail.class);
    private static final int BATCH = 500;
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration FAREWELL = Duration.ofSeconds(3);

    private final EventSender sender;
    private final BlockingQueue<AuditEntry> queue = new ArrayBlockingQueue<>(QUEUE);
    private final Counter sent;
    private final Counter dropped;
    private final Counter failed;
    private volatile boolean running;
    private volatile @Nullable Thread thread;

    AuditTrail(EventSender sender, MeterRegistry meters) {
        this.sender = sender;
        this.sent = meters.counter("mirante.audit", "outcome", "sent");
        this.dropped = meters.counter("mirante.audit", "outcome", "dropped");
        this.failed = meters.counter("mirante.audit", "outcome", "failed");
    }

    /** Keeps an entry for sending; drops and counts it when too many wait. Never blocks, never throws. */
    public void record(AuditEntry entry) {
        if (!queue.offer(entry)) {
            dropped.increment();
        }
    }

    /** An entry as it stands on {@code mirante.audit}. */
    public static Outgoing outgoing(AuditEntry entry) {
        return new Outgoing(
                Topics.AUDIT.name(),
                null,
                Keys.of(entry.tenantId()),
                Json.mapper().writeValueAsBytes(entry),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        entry.auditId(),
                        CloudHeaders.TYPE,
                        "audit_entry",
                        CloudHeaders.SOURCE,
                        "/" + entry.service() + "-service",
                        CloudHeaders.TIME,
                        entry.at().toString(),
                        CloudHeaders.SUBJECT,
                        entry.subject(),
                        CloudHeaders.TENANT,
                        entry.tenantId()));
    }

    @Override
    public void start() {
        running = true;
        thread = Thread.ofPlatform().daemon().name("audit").start(this::sendForever);
    }

    /** Sends what still waits, for three seconds at most. */
    @Override
    public void stop() {
        running = false;
        var sending = thread;
        if (sending == null) {
            return;
        }
        try {
            sending.join(FAREWELL);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        sending.interrupt();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** After the web server stopped taking calls, before Kafka's producer closes. */
    @Override
    public int getPhase() {
        return 0;
    }

    private void sendForever() {
        try {
            while (running || !queue.isEmpty()) {
                var first = queue.poll(200, TimeUnit.MILLISECONDS);
                if (first != null) {
                    var batch = new ArrayList<AuditEntry>();
                    batch.add(first);
                    queue.drainTo(batch, BATCH - 1);
                    send(batch);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(List<AuditEntry> batch) {
        Long acknowledged = null;
        try {
            acknowledged =
                    Flux.fromIterable(batch)
                            .flatMap(
                                    entry ->
                                            Mono.defer(() -> sender.send(outgoing(entry)))
                                                    .hasElement()
                                                    .onErrorReturn(false),
                                    BATCH)
                            .filter(stored -> stored)
                            .count()
                            .block(LIMIT);
        } catch (RuntimeException e) {
            LOG.warn("audit entries cannot be sent at the moment: {}", e.getMessage());
        }
        long stored = acknowledged == null ? 0 : acknowledged;
        sent.increment(stored);
        failed.increment(batch.size() - stored);
    }
}
