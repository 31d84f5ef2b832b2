package io.mirante.bench.etl;

import java.net.URI;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What {@code ./mesh etl run} was asked. The script refuses the same before it builds anything.
 *
 * @param mode {@code batch}, {@code streaming} or {@code validate_only}; as it was begun, of one that is resumed
 * @param source name of a source, or {@code events}; as it was begun, of one that is resumed
 * @param strategy how a batch run loads; null = as the service does by itself
 * @param referenceTime null = when the run begins
 * @param interval of a streaming run, in seconds; null = as the service does by itself
 * @param executionId always set, so that a request that is sent again starts no second run
 * @param resume whether the run is there and goes on
 * @param url of the gateway; null: the local mesh
 * @param key the tenant's; null: the local mesh's first one
 */
record RunOptions(
        String mode,
        String source,
        @Nullable String strategy,
        boolean strict,
        @Nullable Instant referenceTime,
        @Nullable Integer interval,
        String executionId,
        boolean resume,
        @Nullable URI url,
        @Nullable String key) {

    static final String USAGE =
            """
            usage: ./mesh etl run --mode batch|streaming|validate_only --source NAME|events
                                  [--strategy merge|replace|append] [--strict] [--reference-time T] [--interval SECONDS]
                                  [--execution-id ID] [--url URL] [--key KEY]
                   ./mesh etl run --resume ID [--url URL] [--key KEY]
            """;

    private static final Set<String> MODES = Set.of("batch", "streaming", "validate_only");
    private static final String AS_BEGUN = "as begun";
    private static final Set<String> STRATEGIES = Set.of("merge", "replace", "append");

    RunOptions {
        require(
                resume || MODES.contains(mode),
                "--mode must be batch, streaming or validate_only, not " + mode);
        require(
                interval == null || mode.equals("streaming"),
                "--interval is for --mode streaming, the one that goes on");
        require(!source.isBlank(), "--source must be events or the name of a source");
        require(
                strategy == null || STRATEGIES.contains(strategy),
                "--strategy must be merge, replace or append, not " + strategy);
        require(
                strategy == null || mode.equals("batch"),
                "--strategy is for --mode batch; a streaming run merges");
        require(
                executionId.matches("[A-Za-z0-9][A-Za-z0-9._:+-]{0,199}"),
                (resume ? "--resume" : "--execution-id")
                        + " must have 1 to 200 letters, digits, dots, colons, dashes, plus signs or underscores, not "
                        + executionId);
        require(
                url == null
                        || url.getHost() != null
                                && Set.of("http", "https").contains(url.getScheme()),
                "--url must be like http://127.0.0.1:3000, not " + url);
    }

    /**
     * Reads the command line.
     *
     * @throws IllegalArgumentException with one line that names the option at fault
     */
    static RunOptions parse(List<String> arguments) {
        boolean strict = false;
        Map<String, String> given = new LinkedHashMap<>();
        Deque<String> rest = new ArrayDeque<>(arguments);
        while (!rest.isEmpty()) {
            String option = rest.removeFirst();
            switch (option) {
                case "--strict" -> strict = true;
                case "--mode",
                        "--source",
                        "--strategy",
                        "--reference-time",
                        "--interval",
                        "--execution-id",
                        "--resume",
                        "--url",
                        "--key" -> {
                    String value = rest.pollFirst();
                    require(value != null && !value.startsWith("--"), option + " needs a value");
                    given.put(option, value);
                }
                default -> throw new IllegalArgumentException("unknown option " + option);
            }
        }
        String resumed = given.remove("--resume");
        if (resumed != null) {
            String url = given.remove("--url");
            String key = given.remove("--key");
            require(
                    given.isEmpty() && !strict,
                    "--resume goes with --url and --key alone: the run is as it was begun");
            return new RunOptions(
                    AS_BEGUN,
                    AS_BEGUN,
                    null,
                    false,
                    null,
                    null,
                    resumed,
                    true,
                    url == null ? null : URI.create(url),
                    key);
        }
        for (String needed : List.of("--mode", "--source")) {
            require(given.containsKey(needed), needed + " is missing");
        }
        String time = given.get("--reference-time");
        String interval = given.get("--interval");
        String url = given.get("--url");
        return new RunOptions(
                given.getOrDefault("--mode", ""),
                given.getOrDefault("--source", ""),
                given.get("--strategy"),
                strict,
                time == null ? null : instant(time),
                interval == null ? null : seconds(interval),
                given.getOrDefault("--execution-id", UUID.randomUUID().toString()),
                false,
                url == null ? null : URI.create(url),
                given.get("--key"));
    }

    /** Body of the request. */
    Map<String, Object> request() {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("mode", mode);
        body.put("source", source);
        body.put("strict", strict);
        body.put("execution_id", executionId);
        if (strategy != null) {
            body.put("load", Map.of("strategy", strategy));
        }
        if (referenceTime != null) {
            body.put("reference_time", referenceTime.toString());
        }
        if (interval != null) {
            body.put("interval_seconds", interval);
        }
        return body;
    }

    private static int seconds(String text) {
        require(
                text.matches("[1-9][0-9]{0,4}"),
                "--interval must be a number of seconds, not " + text);
        return Integer.parseInt(text);
    }

    private static Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(
                    "--reference-time must be like 2026-11-20T12:00:00Z, not " + text, e);
        }
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
