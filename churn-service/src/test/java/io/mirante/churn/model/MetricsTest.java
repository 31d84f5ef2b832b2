package io.mirante.churn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MetricsTest {

    @Test
    void rocAucIsTheShareOfPairsInRightOrderTiesHalf() {
        var random = new SplittableRandom(4);
        var scores = new double[120];
        var labels = new float[120];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = random.nextInt(20) / 20.0;
            labels[i] = random.nextInt(3) == 0 ? 1 : 0;
        }
        double right = 0;
        double pairs = 0;
        for (int i = 0; i < scores.length; i++) {
            for (int j = 0; j < scores.length; j++) {
                if (labels[i] == 1 && labels[j] == 0) {
                    pairs++;
                    right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
                }
            }
        }

        assertThat(Metrics.rocAuc(scores, labels)).isCloseTo(right / pairs, within(1e-12));
    }

    @Test
    void knownFiguresOfASmallCase() {
        var p = new double[] {0.9, 0.8, 0.7, 0.2};
        var labels = new float[] {1, 0, 1, 0};

        var metrics = Metrics.of(p, labels, 1);

        assertThat(metrics.rocAuc().value()).isCloseTo(0.75, within(1e-12));
        assertThat(metrics.prAuc()).isCloseTo((1.0 + 2.0 / 3) / 2, within(1e-12));
        assertThat(metrics.brier()).isCloseTo((0.01 + 0.64 + 0.09 + 0.04) / 4, within(1e-12));
        assertThat(metrics.liftAt10()).isCloseTo(2, within(1e-12));
        assertThat(metrics.rocAuc().low()).isLessThanOrEqualTo(metrics.rocAuc().high());
    }

    @Test
    void bandsBeginAtTheirBounds() {
        assertThat(Risk.of(0)).isEqualTo(Risk.LOW);
        assertThat(Risk.of(Math.nextDown(Risk.MEDIUM_FROM))).isEqualTo(Risk.LOW);
        assertThat(Risk.of(Risk.MEDIUM_FROM)).isEqualTo(Risk.MEDIUM);
        assertThat(Risk.of(Math.nextDown(Risk.HIGH_FROM))).isEqualTo(Risk.MEDIUM);
        assertThat(Risk.of(Risk.HIGH_FROM)).isEqualTo(Risk.HIGH);
        assertThat(Risk.of(1)).isEqualTo(Risk.HIGH);
        assertThatThrownBy(() -> Risk.of(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Risk.of(1.01)).isInstanceOf(IllegalArgumentException.class);
    }
}
