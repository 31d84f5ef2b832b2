package io.mirante.alert.alerting;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.alert.metrics.MinuteSums;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class RuleHistoryTest {

    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private static Threshold atLeast(int value, Duration window, Duration hold) {
        return new Threshold(
                "ticket.volume", BigDecimal.valueOf(value), window, Operator.GTE, hold);
    }

    private static SortedMap<Instant, BigDecimal> minutes(Map<Integer, Integer> sums) {
        var minutes = new TreeMap<Instant, BigDecimal>();
        sums.forEach((minute, sum) ->
                minutes.put(NOON.plusSeconds(minute * 60L), BigDecimal.valueOf(sum)));
        return minutes;
    }

    @Test
    void aWindowCoversTheMinuteItsBeginningFallsInto() {
        var now = NOON.plusSeconds(30);
        assertThat(MinuteSums.firstMinute(now, Duration.ofMinutes(15)))
                .isEqualTo(NOON.minus(Duration.ofMinutes(15)));
        assertThat(MinuteSums.firstMinute(NOON, Duration.ofMinutes(15)))
                .isEqualTo(NOON.minus(Duration.ofMinutes(15)));
        assertThat(MinuteSums.firstMinute(NOON.minusMillis(1), Duration.ofMinutes(15)))
                .isEqualTo(NOON.minus(Duration.ofMinutes(16)));
    }

    @Test
    void sumsFromTheFirstMinuteToTheLast() {
        var minutes = minutes(Map.of(0, 1, 1, 10, 2, 100, 3, 1000));
        assertThat(RuleHistory.sum(minutes, NOON.plusSeconds(60), NOON.plusSeconds(120)))
                .isEqualByComparingTo("110");
    }

    @Test
    void tellsWhenItWouldHaveFiredAndResolved() {
        var fired =
                RuleHistory.play(
                        atLeast(5, Duration.ofMinutes(2), Duration.ZERO),
                        minutes(Map.of(3, 3, 4, 2)),
                        NOON,
                        NOON.plus(Duration.ofMinutes(20)));
        // Minute 4 makes it five; the look at the end of minute 6 no longer sees minute 3.
        assertThat(fired)
                .containsExactly(
                        new RuleHistory.Firing(
                                NOON.plus(Duration.ofMinutes(5)).minusMillis(1),
                                NOON.plus(Duration.ofMinutes(5)).minusMillis(1),
                                NOON.plus(Duration.ofMinutes(7)).minusMillis(1),
                                BigDecimal.valueOf(5)));
    }

    @Test
    void aConditionThatDoesNotLastDoesNotFire() {
        var minutes = minutes(Map.of(3, 5));
        var until = NOON.plus(Duration.ofMinutes(20));
        var window = Duration.ofMinutes(2);
        assertThat(
                        RuleHistory.play(
                                atLeast(5, window, Duration.ofMinutes(3)), minutes, NOON, until))
                .isEmpty();
        assertThat(
                        RuleHistory.play(
                                atLeast(5, window, Duration.ofMinutes(2)), minutes, NOON, until))
                .hasSize(1);
    }

    @Test
    void oneStillFiringHasNoEnd() {
        var fired =
                RuleHistory.play(
                        atLeast(5, Duration.ofMinutes(10), Duration.ZERO),
                        minutes(Map.of(3, 5)),
                        NOON,
                        NOON.plus(Duration.ofMinutes(6)));
        assertThat(fired).singleElement().matches(f -> f.resolvedAt() == null);
    }
}
