package io.mirante.snapshot;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.platform.messaging.Outgoing;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Ends of runs as etl publishes them. */
public final class EndedRun {

    private EndedRun() {}

    /** A run of the source {@code orders} over 100 rows in 1.5 seconds; one that was completed has loaded 10 users. */
    public static Outgoing of(
            String tenant,
            String id,
            long revision,
            String status,
            @Nullable Double score,
            String endedAt) {
        boolean completed = status.equals(RunEnded.COMPLETED);
        var ended =
                new RunEnded(
                        tenant,
                        id,
                        "batch",
                        "orders",
                        status,
                        completed ? "pass" : "fail",
                        100L,
                        90L,
                        completed ? 10L : null,
                        completed ? 10L : null,
                        null,
                        score == null ? null : new RunEnded.Quality(score, "A"),
                        null,
                        List.of(),
                        null,
                        1.5,
                        List.of(),
                        Instant.parse(endedAt),
                        revision);
        return new Outgoing(
                Topics.QUALITY.name(),
                null,
                Keys.of(tenant),
                Json.mapper().writeValueAsBytes(ended),
                Map.of(CloudHeaders.TENANT, tenant));
    }
}
