package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.etl.log.RetentionTime.Clocks;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RetentionTimeTest {

    private static final Instant NOW = Instant.parse("2026-11-20T10:00:00Z");
    private static final Instant YEARS_AHEAD = NOW.plus(Duration.ofDays(3_650));
    private static final Duration MINUTE = Duration.ofMinutes(1);

    @Test
    void itIsTheEarlierOfTheClocks() {
        var before = NOW.minus(MINUTE);
        var host = NOW.plusSeconds(30);
        assertThat(RetentionTime.next(new Clocks(host, NOW, before, null), MINUTE)).isEqualTo(NOW);
        assertThat(RetentionTime.next(new Clocks(NOW, host, before, null), MINUTE)).isEqualTo(NOW);
        assertThat(RetentionTime.next(new Clocks(NOW, host, host, null), MINUTE))
                .as("back again when a clock was put right")
                .isEqualTo(NOW);
    }

    @Test
    void clocksThatAreHoursApartAreNotTrusted() {
        for (var clocks :
                new Clocks[] {
                    new Clocks(YEARS_AHEAD, NOW, NOW, NOW),
                    new Clocks(NOW, YEARS_AHEAD, NOW, NOW),
                    new Clocks(NOW.plus(RetentionTime.TOLERANCE).plusSeconds(1), NOW, null, null)
                }) {
            assertThatThrownBy(() -> RetentionTime.next(clocks, MINUTE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(clocks.host().toString());
        }
    }

    @Test
    void clocksThatJumpTogetherMoveItNoFurtherThanTimeThatPassed() {
        assertThat(RetentionTime.next(new Clocks(YEARS_AHEAD, YEARS_AHEAD, NOW, null), MINUTE))
                .isEqualTo(NOW.plus(MINUTE.multipliedBy(2)));
        assertThat(
                        RetentionTime.next(
                                new Clocks(YEARS_AHEAD, YEARS_AHEAD, NOW, YEARS_AHEAD),
                                Duration.ZERO))
                .as("also when events came by such a clock")
                .isEqualTo(NOW);
    }

    @Test
    void theFirstTimeTheNewestEventTellsTheTime() {
        assertThat(
                        RetentionTime.next(
                                new Clocks(YEARS_AHEAD, YEARS_AHEAD, null, NOW), Duration.ZERO))
                .isEqualTo(NOW);
        assertThat(RetentionTime.next(new Clocks(NOW, NOW, null, YEARS_AHEAD), Duration.ZERO))
                .isEqualTo(NOW);
        assertThat(RetentionTime.next(new Clocks(NOW, NOW, null, null), Duration.ZERO))
                .as("an empty log")
                .isEqualTo(NOW);
    }

    @Test
    void afterAStandStillItCatchesUp() {
        var reached = NOW.minus(Duration.ofHours(1));
        var clocks = new Clocks(NOW, NOW, reached, null);
        assertThat(RetentionTime.next(clocks, Duration.ofMinutes(10)))
                .isEqualTo(reached.plus(Duration.ofMinutes(20)));
        assertThat(RetentionTime.next(clocks, Duration.ofMinutes(31))).isEqualTo(NOW);
    }
}
