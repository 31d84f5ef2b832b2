package io.mirante.churn.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class AsOfDatesTest {

    private static final Instant FIRST = Instant.parse("2026-01-01T08:00:00Z");
    private static final Duration MONTH = Duration.ofDays(30);

    @Test
    void theLastDateLiesOneHorizonBeforeTheNewestEvent() {
        var dates = AsOfDates.between(FIRST, Instant.parse("2026-03-11T10:00:00Z"), MONTH);

        assertThat(dates)
                .containsExactly(
                        Instant.parse("2026-01-12T00:00:00Z"),
                        Instant.parse("2026-01-19T00:00:00Z"),
                        Instant.parse("2026-01-26T00:00:00Z"),
                        Instant.parse("2026-02-02T00:00:00Z"),
                        Instant.parse("2026-02-09T00:00:00Z"));
    }

    @Test
    void noMoreThanTwelveAndEachHasSomeHistoryBehindIt() {
        var dates = AsOfDates.between(FIRST, FIRST.plus(Duration.ofDays(400)), MONTH);

        assertThat(dates).hasSize(12).isSorted();
        assertThat(dates.getLast()).isBefore(FIRST.plus(Duration.ofDays(371)));
    }

    @Test
    void noneWhenTheHistoryIsShorterThanTheHorizon() {
        assertThat(AsOfDates.between(FIRST, FIRST.plus(MONTH), MONTH)).isEmpty();
        assertThat(AsOfDates.between(FIRST, FIRST.plus(Duration.ofDays(36)), MONTH)).isEmpty();
        assertThat(AsOfDates.between(FIRST, FIRST.plus(Duration.ofDays(38)), MONTH)).hasSize(1);
    }

    @Test
    void shortHorizonsStepByThemselves() {
        var dates = AsOfDates.between(FIRST, FIRST.plus(Duration.ofHours(5)), Duration.ofHours(1));

        assertThat(dates)
                .containsExactly(
                        FIRST.plus(Duration.ofHours(1)),
                        FIRST.plus(Duration.ofHours(2)),
                        FIRST.plus(Duration.ofHours(3)),
                        FIRST.plus(Duration.ofHours(4)));
    }
}
