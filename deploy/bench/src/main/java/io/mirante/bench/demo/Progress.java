package io.mirante.bench.demo;

import java.time.Duration;
import java.time.Instant;

/** A line every few seconds while something long goes on. Thread-safe. */
final class Progress {
    private static final Duration EVERY = Duration.ofSeconds(3);

    private final Screen screen;
    private final long total;
    private final String what;
    private Instant next = Instant.now().plus(EVERY);
    private long count;

    Progress(Screen screen, long total, String what) {
        this.screen = screen;
        this.total = total;
        this.what = what;
    }

    synchronized void at(long reached) {
        count = Math.max(count, reached);
        Instant now = Instant.now();
        if (now.isAfter(next)) {
            next = now.plus(EVERY);
            screen.line("  … %,d of %,d %s".formatted(count, total, what));
        }
    }

    synchronized void oneMore() {
        at(count + 1);
    }
}
