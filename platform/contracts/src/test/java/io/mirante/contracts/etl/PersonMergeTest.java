package io.mirante.contracts.etl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class PersonMergeTest {

    /** As etl wrote it first; stays readable for ever. */
    private static final String GOLDEN =
            """
            {"tenant_id":"acme","merge_id":"1-2","state":"undone","reason":null,"rule":"identify","kind":"anonymous",\
            "id":"cookie","person_no":1,"user_id":"ana","user_no":2,"event_id":"evt_1",\
            "occurred_at":"2026-11-20T10:00:00Z","recorded_at":"2026-11-20T10:00:01Z",\
            "undone_at":"2026-11-21T08:00:00Z","undone_by":"key_7","revision":2}\
            """;

    @Test
    void theGoldenRecordIsReadAndWrittenAsItIs() {
        var merge = Json.mapper().readValue(GOLDEN, PersonMerge.class);
        assertThat(merge.state()).isEqualTo(PersonMerge.UNDONE);
        assertThat(merge.undoneAt()).isEqualTo(Instant.parse("2026-11-21T08:00:00Z"));
        assertThat(Json.mapper().readTree(Json.mapper().writeValueAsBytes(merge)))
                .isEqualTo(Json.mapper().readTree(GOLDEN));
    }

    @Test
    void nobodyHasTheNumberZero() {
        var nobody = GOLDEN.replace("\"user_no\":2", "\"user_no\":0");
        assertThatThrownBy(() -> Json.mapper().readValue(nobody, PersonMerge.class))
                .hasRootCauseInstanceOf(IllegalArgumentException.class)
                .rootCause()
                .hasMessageContaining("1 or more");
    }
}
