package io.mirante.ingestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class IngestionSettingsTest {

    private static final Duration WITHIN = Duration.ofMillis(800);

    @Test
    void eventsMayBeAsLargeAsOneMebibyte() {
        assertThat(new IngestionSettings(1_048_576, 8_388_608, 5000, WITHIN).maxEventBytes())
                .isEqualTo(1_048_576);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(1_048_577, 8_388_608, 5000, WITHIN))
                .withMessageContaining("MAX_EVENT_BYTES")
                .withMessageContaining("1024 to 1048576")
                .withMessageContaining("1048577");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(1023, 8_388_608, 5000, WITHIN));
    }

    @Test
    void bodiesBatchesAndPatienceHaveLimits() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(65_536, 1000, 5000, WITHIN))
                .withMessageContaining("max-body-bytes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(65_536, 8_388_608, 0, WITHIN))
                .withMessageContaining("max-batch-events");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new IngestionSettings(65_536, 8_388_608, 5000, Duration.ofMillis(199)))
                .withMessageContaining("acknowledge-within");
    }
}
