package io.mirante.bench.demo;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** Expected against seen, one line each. Not thread-safe. */
final class Checks {
    private final Screen screen;
    private final List<String> failures = new ArrayList<>();
    private int count;

    Checks(Screen screen) {
        this.screen = screen;
    }

    void equal(String name, long expected, long seen) {
        that(name, expected == seen, grouped(expected), grouped(seen));
    }

    void equal(String name, BigDecimal expected, BigDecimal seen) {
        that(name, expected.compareTo(seen) == 0, expected.toPlainString(), seen.toPlainString());
    }

    void that(String name, boolean holds, String expected, String seen) {
        count++;
        if (holds) {
            screen.line("  ok   %s: %s".formatted(name, seen));
        } else {
            String line = "%s: expected %s, saw %s".formatted(name, expected, seen);
            failures.add(line);
            screen.line("  FAIL " + line);
        }
    }

    /** A stage that did not come to its end. */
    void failed(String name, String why) {
        that(name, false, "an answer", why);
    }

    boolean passed() {
        return failures.isEmpty();
    }

    int count() {
        return count;
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    private static String grouped(long value) {
        return "%,d".formatted(value);
    }
}
