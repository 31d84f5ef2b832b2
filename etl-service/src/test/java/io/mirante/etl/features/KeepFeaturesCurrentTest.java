package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class KeepFeaturesCurrentTest {

    private static final Duration TOOK = Duration.ofMillis(400);

    @Test
    void aLogThatIsBehindHasThreeQuartersOfTheTime() {
        var behind = KeepFeaturesCurrent.BEHIND.plusMillis(1);

        assertThat(KeepFeaturesCurrent.pause(TOOK, behind)).isEqualTo(Duration.ofMillis(1_200));
        assertThat(KeepFeaturesCurrent.pause(Duration.ofMillis(1), behind))
                .isEqualTo(KeepFeaturesCurrent.PAUSE);
    }

    @Test
    void aLogThatIsCurrentIsNotWaitedFor() {
        assertThat(KeepFeaturesCurrent.pause(TOOK, KeepFeaturesCurrent.BEHIND))
                .isEqualTo(KeepFeaturesCurrent.PAUSE);
        assertThat(KeepFeaturesCurrent.pause(TOOK, Duration.ofMillis(-1)))
                .isEqualTo(KeepFeaturesCurrent.PAUSE);
    }
}
