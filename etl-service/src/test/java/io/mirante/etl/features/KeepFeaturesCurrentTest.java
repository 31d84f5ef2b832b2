package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.features.UserFeatureStates.Lane;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class KeepFeaturesCurrentTest {

    private static final Duration TOOK = Duration.ofMillis(400);

    @Test
    void aLogThatIsBehindHasThreeQuartersOfTheTime() {
        assertThat(KeepFeaturesCurrent.isBehind(KeepFeaturesCurrent.BEHIND.plusMillis(1))).isTrue();
        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, TOOK, true))
                .isEqualTo(Duration.ofMillis(1_200));
        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, Duration.ofMillis(1), true))
                .isEqualTo(KeepFeaturesCurrent.PAUSE);
    }

    @Test
    void aLogThatIsCurrentIsNotWaitedFor() {
        assertThat(KeepFeaturesCurrent.isBehind(KeepFeaturesCurrent.BEHIND)).isFalse();
        assertThat(KeepFeaturesCurrent.isBehind(Duration.ofMillis(-1))).isFalse();
        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, TOOK, false))
                .isEqualTo(KeepFeaturesCurrent.LOOK);
    }

    @Test
    void usersWithVeryManyEventsHaveAQuarterOfTheTime() {
        assertThat(KeepFeaturesCurrent.pause(Lane.HEAVY, TOOK, false))
                .isEqualTo(Duration.ofMillis(1_200));
    }
}
