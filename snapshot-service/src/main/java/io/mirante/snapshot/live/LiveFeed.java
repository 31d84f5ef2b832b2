package io.mirante.snapshot.live;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/**
 * Hands records to the sockets of their tenant, and keeps each tenant's latest so that a socket that was cut off can go on
 * where it was. Bounded: {@value #KEPT} records of {@value #TENANTS} tenants. Thread-safe; a record and a new subscription
 * never pass each other unseen.
 */
@Component
final class LiveFeed {

    static final int KEPT = 500;
    static final int TENANTS = 200;

    /** Latest records by tenant, the longest unused tenant first. */
    private final Map<String, ArrayDeque<LiveRecord>> latest =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(
                        Map.Entry<String, ArrayDeque<LiveRecord>> eldest) {
                    return size() > TENANTS;
                }
            };

    private final Map<String, Set<LiveSocket>> sockets = new ConcurrentHashMap<>();

    LiveFeed(MeterRegistry meters) {
        Gauge.builder(
                        "mirante.live.sockets",
                        sockets,
                        all -> all.values().stream().mapToInt(Set::size).sum())
                .register(meters);
    }

    void open(LiveSocket socket) {
        sockets.computeIfAbsent(socket.tenant(), t -> ConcurrentHashMap.newKeySet()).add(socket);
    }

    void close(LiveSocket socket) {
        sockets.computeIfPresent(
                socket.tenant(),
                (tenant, open) -> {
                    open.remove(socket);
                    return open.isEmpty() ? null : open;
                });
    }

    /** A record from a topic. */
    synchronized void publish(LiveRecord record) {
        var kept = latest.computeIfAbsent(record.tenant(), t -> new ArrayDeque<>());
        if (kept.size() == KEPT) {
            kept.poll();
        }
        kept.add(record);
        sockets.getOrDefault(record.tenant(), Set.of()).forEach(socket -> socket.see(record));
    }

    /**
     * Makes a subscription the socket's, after sending what came since its last id.
     *
     * @return whether that id was still known; true also when there was none
     */
    synchronized boolean subscribe(LiveSocket socket, Subscription subscription) {
        var missed = since(socket.tenant(), subscription.lastId());
        socket.begin(subscription, missed != null);
        if (missed != null) {
            missed.forEach(socket::see);
        }
        return missed != null;
    }

    /** Records after the one with this id; null when it is no longer (or not) among those kept. */
    private @Nullable List<LiveRecord> since(String tenant, @Nullable String lastId) {
        if (lastId == null) {
            return List.of();
        }
        var kept = List.copyOf(latest.getOrDefault(tenant, new ArrayDeque<>()));
        for (int i = kept.size() - 1; i >= 0; i--) {
            if (kept.get(i).id().equals(lastId)) {
                return kept.subList(i + 1, kept.size());
            }
        }
        return null;
    }
}
