package io.mirante.etl.runs;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.etl.RunEnded.FailedCheck;
import io.mirante.contracts.etl.RunEnded.Quality;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.core.type.TypeReference;

/** Sends ends of runs to {@code mirante.quality}: figures and names of checks, never a sample. */
@Configuration(proxyBeanMethods = false)
final class QualityPublication {

    private static final TypeReference<List<FailedCheck>> CHECKS = new TypeReference<>() {};

    @Bean
    Publication endedRuns() {
        return new Publication(
                "etl_run",
                List.of("tenant_id", "execution_id"),
                """
                SELECT tenant_id, execution_id, mode, source, status, gate, extracted, kept, transformed, loaded, error,
                    finished_at, %s AS seconds, revision, anomalies::text AS anomalies,
                    (report #>> '{raw,score}')::float8 AS raw_score, report #>> '{raw,grade}' AS raw_grade,
                    (report #>> '{transformed,score}')::float8 AS transformed_score,
                    report #>> '{transformed,grade}' AS transformed_grade,
                    (report #>> '{features,score}')::float8 AS features_score,
                    report #>> '{features,grade}' AS features_grade,
                    (SELECT jsonb_agg(jsonb_build_object('part', part, 'name', c -> 'name', 'severity', c -> 'severity',
                            'status', c -> 'status', 'threshold', c -> 'threshold', 'value', c -> 'value',
                            'failing_rows', c -> 'failing_rows'))::text
                        FROM unnest(ARRAY['raw', 'transformed', 'features']) AS part,
                            jsonb_array_elements(report #> ARRAY[part, 'checks']) AS c
                        WHERE c ->> 'status' <> 'pass') AS failed_checks
                FROM etl_run WHERE revision > published_revision AND status IN ('completed', 'failed')
                ORDER BY tenant_id, execution_id LIMIT 500\
                """
                        .formatted(Runs.SECONDS.formatted("finished_at")),
                QualityPublication::message);
    }

    private static Outgoing message(Readable row) {
        var seconds = row.get("seconds", Double.class);
        var finished = Objects.requireNonNull(row.get("finished_at", Instant.class));
        var checks = row.get("failed_checks", String.class);
        var ended =
                new RunEnded(
                        text(row, "tenant_id"),
                        text(row, "execution_id"),
                        text(row, "mode"),
                        text(row, "source"),
                        text(row, "status"),
                        row.get("gate", String.class),
                        row.get("extracted", Long.class),
                        row.get("kept", Long.class),
                        row.get("transformed", Long.class),
                        row.get("loaded", Long.class),
                        quality(row, "raw"),
                        quality(row, "transformed"),
                        quality(row, "features"),
                        checks == null ? List.of() : Json.mapper().readValue(checks, CHECKS),
                        withoutValues(row.get("error", String.class)),
                        seconds == null ? null : Math.round(seconds * 1e3) / 1e3,
                        Runs.anomalies(row.get("anomalies", String.class)),
                        finished,
                        Objects.requireNonNull(row.get("revision", Long.class)));
        return new Outgoing(
                Topics.QUALITY.name(),
                null,
                Keys.of(ended.tenantId()),
                Json.mapper().writeValueAsBytes(ended),
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        ended.executionId() + "@" + ended.revision(),
                        CloudHeaders.TYPE,
                        RunEnded.TYPE,
                        CloudHeaders.SOURCE,
                        "/etl",
                        CloudHeaders.SUBJECT,
                        ended.executionId(),
                        CloudHeaders.TIME,
                        finished.toString(),
                        CloudHeaders.TENANT,
                        ended.tenantId(),
                        CloudHeaders.REVISION,
                        Long.toString(ended.revision())));
    }

    private static @Nullable Quality quality(Readable row, String part) {
        var score = row.get(part + "_score", Double.class);
        return score == null ? null : new Quality(score, text(row, part + "_grade"));
    }

    /** What a reader quotes of a file, or a database of a row, may be a person's. */
    static @Nullable String withoutValues(@Nullable String error) {
        return error == null ? null : error.replaceAll("(?s)['\"].*", "…");
    }

    private static String text(Readable row, String column) {
        return Objects.requireNonNull(row.get(column, String.class), column);
    }
}
