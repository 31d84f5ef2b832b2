package io.mirante.ingestion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class IngestionSettingsTest {

    private static final Duration CLOCK = Duration.ofMinutes(15);
    private static final Duration WITHIN = Duration.ofMillis(800);

    @Test
    void eventsMayBeAsLargeAsOneMebibyte() {
        assertThat(new IngestionSettings(1_048_576, 8_388_608, 5000, CLOCK, WITHIN).maxEventBytes())
                .isEqualTo(1_048_576);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(1_048_577, 8_388_608, 5000, CLOCK, WITHIN))
                .withMessageContaining("MAX_EVENT_BYTES")
                .withMessageContaining("1024 to 1048576")
                .withMessageContaining("1048577");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(1023, 8_388_608, 5000, CLOCK, WITHIN));
    }

    @Test
    void bodiesBatchesAndPatienceHaveLimits() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(65_536, 1000, 5000, CLOCK, WITHIN))
                .withMessageContaining("max-body-bytes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new IngestionSettings(65_536, 8_388_608, 0, CLOCK, WITHIN))
                .withMessageContaining("max-batch-events");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new IngestionSettings(
                                65_536, 8_388_608, 5000, CLOCK, Duration.ofMillis(199)))
                .withMessageContaining("acknowledge-within");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new IngestionSettings(
                                65_536, 8_388_608, 5000, Duration.ofMinutes(-1), WITHIN))
                .withMessageContaining("CLOCK_TOLERANCE");
    }
}
