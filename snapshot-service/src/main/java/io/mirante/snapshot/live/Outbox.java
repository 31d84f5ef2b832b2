package io.mirante.snapshot.live;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * Frames on their way to one socket: bounded, never blocks who puts one in. What does not fit is counted, and the reader
 * is told how many it missed at the place where they are missing. Thread-safe.
 */
final class Outbox {

    private final int capacity;
    private final ArrayDeque<String> waiting = new ArrayDeque<>();
    private long dropped;
    private @Nullable FluxSink<String> sink;

    /**
     * An empty one.
     *
     * @param capacity frames kept while the reader does not read, 1 or more
     */
    Outbox(int capacity) {
        if (!(capacity >= 1)) {
            throw new IllegalArgumentException("capacity must be at least 1, was " + capacity);
        }
        this.capacity = capacity;
    }

    /** Puts a frame in, or counts it as dropped. */
    synchronized void offer(String frame) {
        if (waiting.size() >= capacity) {
            dropped++;
        } else {
            tellDropped();
            waiting.add(frame);
        }
        drain();
    }

    /** The frames as the reader asks for them; for one subscriber. */
    Flux<String> frames() {
        return Flux.create(
                emitter -> {
                    synchronized (this) {
                        sink = emitter;
                    }
                    emitter.onRequest(n -> drain());
                },
                FluxSink.OverflowStrategy.ERROR);
    }

    private synchronized void drain() {
        var open = sink;
        if (open == null) {
            return;
        }
        while (open.requestedFromDownstream() > 0) {
            if (waiting.isEmpty()) {
                tellDropped();
            }
            var next = waiting.poll();
            if (next == null) {
                return;
            }
            open.next(next);
        }
    }

    private void tellDropped() {
        if (dropped > 0) {
            waiting.add("{\"type\":\"Dropped\",\"count\":" + dropped + "}");
            dropped = 0;
        }
    }
}
