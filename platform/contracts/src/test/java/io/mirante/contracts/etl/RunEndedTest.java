package io.mirante.contracts.etl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RunEndedTest {

    /** As etl wrote it first; stays readable for ever. */
    private static final String GOLDEN =
            """
            {"tenant_id":"acme","execution_id":"nightly-1","mode":"batch","source":"orders","status":"failed",\
            "gate":"fail","records_extracted":1000,"records_cleaned":600,"records_transformed":90,"records_loaded":null,\
            "raw":{"score":0.71,"grade":"C"},"transformed":{"score":0.94,"grade":"A"},\
            "features":{"score":0.9,"grade":"A"},\
            "failed_checks":[{"part":"transformed","name":"completeness","severity":"critical","status":"fail",\
            "threshold":0.95,"value":0.9,"failing_rows":60}],\
            "error":"the gate stopped the load: transformed.completeness; see the report","duration_seconds":12.5,\
            "anomalies":[{"metric":"rows","value":1000.0,"median":50000.0,"z":-66.1,"runs":20}],\
            "ended_at":"2026-11-21T02:00:12.500Z","revision":2}\
            """;

    @Test
    void theGoldenRecordIsReadAndWrittenAsItIs() {
        var ended = Json.mapper().readValue(GOLDEN, RunEnded.class);
        assertThat(ended.endedAt()).isEqualTo(Instant.parse("2026-11-21T02:00:12.500Z"));
        assertThat(ended.failedChecks())
                .singleElement()
                .matches(check -> check.failingRows() == 60);
        assertThat(Json.mapper().readTree(Json.mapper().writeValueAsBytes(ended)))
                .isEqualTo(Json.mapper().readTree(GOLDEN));
    }

    @Test
    void aRecordWithoutListsHasEmptyOnes() {
        var ended =
                Json.mapper()
                        .readValue(
                                "{\"tenant_id\":\"acme\",\"execution_id\":\"x\",\"status\":\"failed\",\"revision\":1}",
                                RunEnded.class);
        assertThat(ended.failedChecks()).isEmpty();
        assertThat(ended.anomalies()).isEmpty();
    }

    @Test
    void revisionsBeginAtOne() {
        assertThatThrownBy(() ->
                        Json.mapper()
                                .readValue(
                                        GOLDEN.replace("\"revision\":2", "\"revision\":0"),
                                        RunEnded.class))
                .hasRootCauseInstanceOf(IllegalArgumentException.class)
                .rootCause()
                .hasMessageContaining("1 or more");
    }
}
