package io.mirante.bench.demo;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code ./mesh demo} was asked.
 *
 * @param once end after one pass, with an exit code that says whether every check passed
 * @param weeks of history, 6 to 104 (less gives the churn model nothing to look back on)
 * @param people customers, 100 to 1,000,000
 * @param from folder with real data ({@code cdnow/CDNOW_master.txt}) to play instead of the simulation
 * @param url of the gateway; null: the local mesh, started when it is not up
 * @param key the tenant's; null: the local mesh's first one
 * @param patience longest wait for one stage
 * @param live how long live events play before the results are read
 */
record DemoOptions(
        boolean once,
        long seed,
        int people,
        int weeks,
        @Nullable Path from,
        @Nullable URI url,
        @Nullable String key,
        Duration patience,
        Duration live) {

    static final String USAGE =
            """
            usage: ./mesh demo [--once] [--seed N] [--people N] [--weeks N] [--from DIR]
                               [--url URL] [--key KEY] [--timeout SECONDS] [--live SECONDS]
            """;

    DemoOptions {
        if (!(people >= 100 && people <= 1_000_000)) {
            throw new IllegalArgumentException("--people must be 100 to 1000000, was " + people);
        }
        if (!(weeks >= 6 && weeks <= 104)) {
            throw new IllegalArgumentException("--weeks must be 6 to 104, was " + weeks);
        }
        if (!(patience.toSeconds() >= 10)) {
            throw new IllegalArgumentException(
                    "--timeout must be at least 10 seconds, was " + patience.toSeconds());
        }
        if (!(live.toSeconds() >= 5)) {
            throw new IllegalArgumentException(
                    "--live must be at least 5 seconds, was " + live.toSeconds());
        }
    }

    /**
     * Reads the command line.
     *
     * @throws IllegalArgumentException with one line that names the option at fault
     */
    static DemoOptions parse(List<String> arguments) {
        boolean once = false;
        long seed = 7;
        int people = 2_000;
        int weeks = 10;
        Path from = null;
        URI url = null;
        String key = null;
        long timeout = 180;
        long live = 10;
        Deque<String> rest = new ArrayDeque<>(arguments);
        while (!rest.isEmpty()) {
            String option = rest.removeFirst();
            switch (option) {
                case "--once" -> once = true;
                case "--seed" -> seed = number(option, rest);
                case "--people" -> people = Math.toIntExact(number(option, rest));
                case "--weeks" -> weeks = Math.toIntExact(number(option, rest));
                case "--from" -> from = Path.of(text(option, rest));
                case "--url" -> url = URI.create(text(option, rest));
                case "--key" -> key = text(option, rest);
                case "--timeout" -> timeout = number(option, rest);
                case "--live" -> live = number(option, rest);
                default -> throw new IllegalArgumentException("unknown option " + option);
            }
        }
        return new DemoOptions(
                once,
                seed,
                people,
                weeks,
                from,
                url,
                key,
                Duration.ofSeconds(timeout),
                Duration.ofSeconds(live));
    }

    private static String text(String option, Deque<String> rest) {
        String value = rest.pollFirst();
        if (value == null) {
            throw new IllegalArgumentException(option + " needs a value");
        }
        return value;
    }

    private static long number(String option, Deque<String> rest) {
        String value = text(option, rest);
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + " must be a whole number, was " + value, e);
        }
    }
}
