package io.mirante.etl.quality;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.etl.RunEnded.Anomaly;
import io.mirante.etl.quality.Anomalies.Figures;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AnomaliesTest {

    private static final double USUAL = Thresholds.DEFAULT.anomalies();
    private static final Figures ALIKE = Figures.of(1_000, 950, 100, 0.95, 10);

    private static List<Figures> past(int runs) {
        return Collections.nCopies(runs, ALIKE);
    }

    @Test
    void theScoreIsTheDistanceFromTheMedianInScaledMedianDeviations() {
        // Rows 600, 700 … 1400: median 1000, absolute deviations 400 … 0 … 400, their median 200.
        var past =
                IntStream.rangeClosed(6, 14)
                        .mapToObj(i -> Figures.of(i * 100L, i * 100L, 0, 0.95, 10))
                        .toList();
        assertThat(Anomalies.of(Figures.of(3_000, 3_000, 0, 0.95, 10), past, USUAL))
                .containsExactly(
                        new Anomaly("rows", 3_000, 1_000, 6.7449, 9)); // 2000 / (1.4826 * 200)
        assertThat(Anomalies.of(Figures.of(2_000, 2_000, 0, 0.95, 10), past, USUAL)).isEmpty();
    }

    @Test
    void runsThatAreAllAlikeLeaveRoomForSmallDifferences() {
        assertThat(Anomalies.of(Figures.of(1_100, 1_045, 110, 0.93, 15), past(8), USUAL)).isEmpty();
        assertThat(Anomalies.of(Figures.of(500, 100, 400, 0.5, 100), past(8), USUAL))
                .extracting(Anomaly::metric, Anomaly::z)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("rows", -10.0),
                        org.assertj.core.groups.Tuple.tuple("rejected_share", 75.0),
                        org.assertj.core.groups.Tuple.tuple("changed_share", 70.0),
                        org.assertj.core.groups.Tuple.tuple("score", -45.0),
                        org.assertj.core.groups.Tuple.tuple("duration_seconds", 45.0));
    }

    @Test
    void oneWildRunAmongThePastMovesNothing() {
        var past = new java.util.ArrayList<>(past(8));
        past.add(Figures.of(1_000_000, 0, 1e6, 0, 9_999));
        assertThat(Anomalies.of(ALIKE, past, USUAL)).isEmpty();
        assertThat(Anomalies.of(Figures.of(500, 475, 50, 0.95, 10), past, USUAL))
                .extracting(Anomaly::metric)
                .containsExactly("rows");
    }

    @Test
    void fewPastRunsSayNothing() {
        var wild = Figures.of(1, 0, 1, 0, 9_999);
        assertThat(Anomalies.of(wild, past(7), USUAL)).isEmpty();
        assertThat(Anomalies.of(wild, past(8), USUAL)).hasSize(5);
        assertThat(Anomalies.of(wild, past(8), 10_000)).isEmpty();
    }

    @Test
    void anEmptyTableHasNoShares() {
        assertThat(Figures.of(0, 0, 0, 1, 1)).isEqualTo(new Figures(0, 0, 0, 1, 1));
    }
}
