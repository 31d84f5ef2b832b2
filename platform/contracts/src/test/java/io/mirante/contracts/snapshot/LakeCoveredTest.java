package io.mirante.contracts.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class LakeCoveredTest {

    /** As snapshot wrote it first; stays readable for ever. */
    private static final String GOLDEN =
            "{\"tenant_id\":\"acme\",\"covered_until\":\"2026-11-23T07:00:00.250Z\",\"revision\":7}";

    @Test
    void theGoldenRecordIsReadAndWrittenAsItIs() {
        var covered = Json.mapper().readValue(GOLDEN, LakeCovered.class);
        assertThat(covered)
                .isEqualTo(new LakeCovered("acme", Instant.parse("2026-11-23T07:00:00.250Z"), 7));
        assertThat(Json.mapper().writeValueAsString(covered)).isEqualTo(GOLDEN);
    }
}
