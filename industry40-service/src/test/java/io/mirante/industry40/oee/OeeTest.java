package io.mirante.industry40.oee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.mirante.industry40.telemetry.Readings.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OeeTest {

    private static final Oee.Figures SHIFT =
            new Oee.Figures(1440.0, 480, 30, 20, 40, 15, 60, 330, 320);

    /** Busy 450; producing 450 − 20 − 40 − 15 = 375; ideal 330 min. */
    @Test
    void iso22400TakesDelaysOffTheProductionTime() {
        var oee = Oee.of(SHIFT, Oee.Convention.ISO22400);
        assertThat(oee.availability()).isCloseTo(375.0 / 450, within(1e-12));
        assertThat(oee.performance()).isCloseTo(330.0 / 375, within(1e-12));
        assertThat(oee.quality()).isCloseTo(320.0 / 330, within(1e-12));
        assertThat(oee.oee()).isCloseTo(320.0 / 450, within(1e-12));
        assertThat(oee.nee()).isCloseTo(395.0 / 450 * 330 / 375 * 320 / 330, within(1e-12));
        assertThat(oee.teep()).isCloseTo(320.0 / 1440, within(1e-12));
        assertThat(oee.warnings()).isEmpty();
    }

    /** Loading 450; operating 390; the minor stops lower performance. */
    @Test
    void nakajimaCountsMinorStopsAsPerformance() {
        var oee = Oee.of(SHIFT, Oee.Convention.NAKAJIMA);
        assertThat(oee.availability()).isCloseTo(390.0 / 450, within(1e-12));
        assertThat(oee.performance()).isCloseTo(330.0 / 390, within(1e-12));
        assertThat(oee.oee()).isCloseTo(320.0 / 450, within(1e-12));
    }

    @Test
    void lossesAndProductiveTimeAddUpToThePlan() {
        for (var convention : Oee.Convention.values()) {
            var oee = Oee.of(SHIFT, convention);
            double lost = oee.losses().stream().mapToDouble(Oee.Loss::minutes).sum();
            assertThat(lost + 320).isCloseTo(480, within(1e-9));
        }
    }

    @Test
    void aTooLongIdealCycleIsSaid() {
        var oee =
                Oee.of(
                        new Oee.Figures(null, 480, 30, 20, 40, 15, 90, 330, 320),
                        Oee.Convention.ISO22400);
        assertThat(oee.performance()).isGreaterThan(1);
        assertThat(oee.warnings()).anyMatch(w -> w.contains("ideal_cycle_seconds"));
        assertThat(oee.teep()).isNull();
    }

    @Test
    void impossibleFiguresAreRefusedByName() {
        refused(new Oee.Figures(null, 0, 0, 0, 0, 0, 60, 1, 1), "planned_operation_minutes");
        refused(new Oee.Figures(null, 480, 480, 0, 0, 0, 60, 1, 1), "planned_downtime_minutes");
        refused(new Oee.Figures(null, 480, 30, 200, 200, 51, 60, 1, 1), "setup_minutes");
        refused(new Oee.Figures(null, 480, 30, -1, 0, 0, 60, 1, 1), "setup_minutes");
        refused(new Oee.Figures(null, 480, 0, 0, 0, 0, 0, 1, 1), "ideal_cycle_seconds");
        refused(new Oee.Figures(null, 480, 0, 0, 0, 0, 60, 10, 11), "good");
        refused(new Oee.Figures(null, 480, 0, 0, 0, 0, Double.NaN, 10, 10), "ideal_cycle_seconds");
        refused(new Oee.Figures(400.0, 480, 0, 0, 0, 0, 60, 10, 10), "planned_operation_minutes");
    }

    @Test
    void everythingStoppedIsZeroAndNotNotANumber() {
        var oee =
                Oee.of(
                        new Oee.Figures(null, 480, 30, 0, 450, 0, 60, 0, 0),
                        Oee.Convention.ISO22400);
        assertThat(oee.oee()).isZero();
        assertThat(oee.performance()).isZero();
    }

    @Test
    void runTimeTellsMinorStopsFromBreakdownsAndGapsFromBoth() {
        var start = Instant.parse("2026-11-20T10:00:00Z");
        var samples = new ArrayList<Sample>();
        // 10 min running, 4 min stop, 6 min running, 5 min stop, 5 min running, then 30 min silence
        for (int minute = 0; minute < 30; minute++) {
            boolean stopped = (minute >= 10 && minute < 14) || (minute >= 20 && minute < 25);
            samples.add(new Sample(start.plus(Duration.ofMinutes(minute)), stopped ? 0 : 1));
        }
        var time = RunTime.of(List.copyOf(samples), start, start.plus(Duration.ofMinutes(60)));
        assertThat(time.minorStopMinutes()).isEqualTo(4);
        assertThat(time.breakdownMinutes()).isEqualTo(5);
        assertThat(time.runningMinutes()).isEqualTo(22);
        assertThat(time.unknownMinutes()).isEqualTo(29);
    }

    private static void refused(Oee.Figures figures, String field) {
        assertThatThrownBy(() -> Oee.of(figures, Oee.Convention.ISO22400))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(field);
    }
}
