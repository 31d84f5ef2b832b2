package io.mirante.bench.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What the person in front of the terminal sees. Thread-safe. */
final class Screen {
    private static final Duration PROGRESS_EVERY = Duration.ofSeconds(3);
    private static final Duration LOOK_EVERY = Duration.ofMillis(400);

    private final PrintStream out;
    private final String url;
    private final String key;

    Screen(PrintStream out, String url, String key) {
        this.out = out;
        this.url = url;
        // As part of a shell's word in single quotes.
        this.key = key.replace("'", "'\\''");
    }

    synchronized void line(String text) {
        out.println(text);
        out.flush();
    }

    void section(String title) {
        line("");
        line("== " + title);
    }

    /** The command that shows the same. */
    void curl(String path) {
        line("  $ curl -s -H 'x-api-key: " + key + "' '" + url + path + "'");
    }

    void curlPost(String path, String json) {
        line(
                "  $ curl -s -H 'x-api-key: %s' -H 'content-type: application/json' -d '%s' '%s%s'"
                        .formatted(key, json, url, path));
    }

    /** Rows as columns; the first row is the heading. Numbers are set flush right. */
    void table(List<List<String>> rows) {
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        int[] widths = new int[columns];
        boolean[] numeric = new boolean[columns];
        for (int column = 0; column < columns; column++) {
            numeric[column] = rows.size() > 1;
            for (int row = 0; row < rows.size(); row++) {
                String cell = column < rows.get(row).size() ? rows.get(row).get(column) : "";
                widths[column] = Math.max(widths[column], cell.length());
                numeric[column] &=
                        row == 0 || cell.isEmpty() || cell.matches("[-+]?[0-9][0-9,.]*%?");
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder("  ");
            for (int column = 0; column < row.size(); column++) {
                String cell = row.get(column);
                String gap = " ".repeat(widths[column] - cell.length());
                line.append(numeric[column] ? gap + cell : cell + gap).append("  ");
            }
            line(line.toString().stripTrailing());
        }
    }

    /**
     * Looks again and again until there is something, with a line of progress every few seconds.
     *
     * @param progress what to say meanwhile
     * @return empty when the time is over
     */
    <T> Optional<T> await(
            String what, Duration patience, Supplier<Optional<T>> look, Supplier<String> progress) {
        Instant begin = Instant.now();
        Instant nextWord = begin.plus(PROGRESS_EVERY);
        while (true) {
            Optional<T> found = look.get();
            Instant now = Instant.now();
            if (found.isPresent()) {
                return found;
            }
            if (now.isAfter(begin.plus(patience))) {
                return Optional.empty();
            }
            if (now.isAfter(nextWord)) {
                line(
                        "  … %s, %d s: %s"
                                .formatted(
                                        what,
                                        Duration.between(begin, now).toSeconds(),
                                        progress.get()));
                nextWord = now.plus(PROGRESS_EVERY);
            }
            pause(LOOK_EVERY);
        }
    }

    static void pause(Duration wait) {
        try {
            Thread.sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
