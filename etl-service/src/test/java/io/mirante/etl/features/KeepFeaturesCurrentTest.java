package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.etl.features.UserFeatureStates.Lane;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class KeepFeaturesCurrentTest {

    private static final Duration TOOK = Duration.ofMillis(400);

    @Test
    void aLogThatIsBehindHasThreeQuartersOfTheTime() {
        var behind = KeepFeaturesCurrent.BEHIND.plusMillis(1);

        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, TOOK, behind))
                .isEqualTo(Duration.ofMillis(1_200));
        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, Duration.ofMillis(1), behind))
                .isEqualTo(KeepFeaturesCurrent.PAUSE);
    }

    @Test
    void aLogThatIsCurrentIsNotWaitedFor() {
        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, TOOK, KeepFeaturesCurrent.BEHIND))
                .isEqualTo(KeepFeaturesCurrent.LOOK);
        assertThat(KeepFeaturesCurrent.pause(Lane.LIGHT, TOOK, Duration.ofMillis(-1)))
                .isEqualTo(KeepFeaturesCurrent.LOOK);
    }

    @Test
    void usersWithVeryManyEventsHaveAQuarterOfTheTime() {
        assertThat(KeepFeaturesCurrent.pause(Lane.HEAVY, TOOK, Duration.ZERO))
                .isEqualTo(Duration.ofMillis(1_200));
    }
}
