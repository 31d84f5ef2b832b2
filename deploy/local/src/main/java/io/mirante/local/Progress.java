package io.mirante.local;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/** Lines for the person who waits, one per part, with the seconds since the start. Thread-safe. */
final class Progress {
    private final PrintStream out;
    private final long startedNanos = System.nanoTime();

    Progress(PrintStream out) {
        this.out = out;
    }

    void line(String part, String text) {
        out.printf(Locale.ROOT, "  %6.1f s  %-22s %s%n", elapsed().toMillis() / 1000.0, part, text);
        out.flush();
    }

    void text(String text) {
        out.println(text);
        out.flush();
    }

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - startedNanos);
    }
}
