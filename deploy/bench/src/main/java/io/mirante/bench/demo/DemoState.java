package io.mirante.bench.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a mesh's folder remembers of the demo: which history belongs to it, so that the next run plays the same one
 * (same instants, same ids) instead of a second history beside it.
 *
 * @param played whether the whole history was acknowledged once
 */
record DemoState(long seed, int people, int weeks, Instant start, Instant end, boolean played) {
    private static final JsonMapper JSON = JsonMapper.shared();

    /** A history that ends with the hour that has just begun, and starts at a midnight that many weeks before. */
    static DemoState fresh(DemoOptions options, Instant now) {
        Instant end = now.truncatedTo(ChronoUnit.HOURS);
        Instant start =
                now.truncatedTo(ChronoUnit.DAYS).minus(7L * options.weeks(), ChronoUnit.DAYS);
        return new DemoState(options.seed(), options.people(), options.weeks(), start, end, false);
    }

    boolean sameScale(DemoOptions options) {
        return seed == options.seed() && people == options.people() && weeks == options.weeks();
    }

    DemoState wholePlayed() {
        return new DemoState(seed, people, weeks, start, end, true);
    }

    static @Nullable DemoState read(Path file) {
        if (!Files.exists(file)) {
            return null;
        }
        try {
            JsonNode json = JSON.readTree(Files.readAllBytes(file));
            return new DemoState(
                    json.path("seed").asLong(0),
                    json.path("people").asInt(0),
                    json.path("weeks").asInt(0),
                    Instant.parse(json.path("start").asString("")),
                    Instant.parse(json.path("end").asString("")),
                    json.path("played").asBoolean(false));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void write(Path file) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("seed", seed);
        json.put("people", people);
        json.put("weeks", weeks);
        json.put("start", start.toString());
        json.put("end", end.toString());
        json.put("played", played);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
