package io.mirante.churn.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ModelTrainerTest {

    private static final Duration MONTH = Duration.ofDays(30);
    private static final TrainingTable TABLE = SyntheticUsers.table(700, 4, MONTH, 11);

    @Test
    void beatsChanceWhereAShuffledLabelDoesNot() throws Exception {
        var real = ModelTrainer.train(TABLE, "inactivity", MONTH, 1).manifest();
        var shuffled =
                ModelTrainer.train(SyntheticUsers.shuffled(TABLE, 5), "inactivity", MONTH, 1)
                        .manifest();

        assertThat(real.metrics().rocAuc().value()).isGreaterThan(0.80);
        assertThat(real.metrics().rocAuc().low()).isGreaterThan(0.75);
        assertThat(real.metrics().prAuc()).isGreaterThan(0.6);
        assertThat(real.metrics().calibrationError()).isLessThan(0.06);
        assertThat(real.metrics().liftAt10()).isGreaterThan(1.5);
        assertThat(shuffled.metrics().rocAuc().value()).isBetween(0.40, 0.60);
        assertThat(shuffled.warnings()).anyMatch(w -> w.contains("no better than chance"));
    }

    @Test
    void holdsTheLastDateOutAndLeavesOverlappingLabelWindowsOut() throws Exception {
        var manifest = ModelTrainer.train(TABLE, "inactivity", MONTH, 1).manifest();

        assertThat(manifest.split()).contains("do not overlap");
        assertThat(manifest.heldOutRows()).isEqualTo(700);
        assertThat(manifest.rows()).isEqualTo(2800);
    }

    @Test
    void holdsUsersOutWhenTheHistoryIsTooShort() throws Exception {
        var dense = SyntheticUsers.table(700, 4, Duration.ofDays(7), 11);

        var manifest = ModelTrainer.train(dense, "inactivity", MONTH, 1).manifest();

        assertThat(manifest.split()).contains("three users in ten");
        assertThat(manifest.warnings()).anyMatch(w -> w.contains("history is short"));
        assertThat(manifest.heldOutRows()).isBetween(150, 270);
    }

    @Test
    void givesTheSameModelForTheSameInputAndSeed() throws Exception {
        var one = ModelTrainer.train(TABLE, "inactivity", MONTH, 3);
        var two = ModelTrainer.train(TABLE, "inactivity", MONTH, 3);

        assertThat(two.manifest()).isEqualTo(one.manifest());
        assertThat(two.model().toBytes()).isEqualTo(one.model().toBytes());
    }

    @Test
    void shapValuesAndBaseValueAddUpToTheMargin() throws Exception {
        var model = ModelTrainer.train(TABLE, "inactivity", MONTH, 1).model();
        var rows = TABLE.rows().subList(0, 200).stream().map(r -> adapt(model, r)).toList();

        var scores = model.score(rows);
        var explanations = model.explain(rows);

        for (int i = 0; i < rows.size(); i++) {
            double sum =
                    explanations.get(i).baseValue()
                            + explanations.get(i).contributions().stream()
                                    .mapToDouble(Contribution::contribution)
                                    .sum();
            assertThat(sum).isCloseTo(scores.get(i).margin(), within(1e-4));
        }
    }

    @Test
    void calibrationNeverChangesAnOrder() throws Exception {
        var model = ModelTrainer.train(TABLE, "inactivity", MONTH, 1).model();

        double before = -1;
        for (double margin = -8; margin <= 8; margin += 0.25) {
            double p = model.calibration().probability(margin);
            assertThat(p).isBetween(0.0, 1.0).isGreaterThan(before);
            before = p;
        }
    }

    @Test
    void calibrationOfHopelessMarginsStillRises() {
        var margins = new float[] {3, 2, 1, 0, -1, -2, -3, -4};
        var labels = new float[] {0, 0, 0, 0, 1, 1, 1, 1};

        var calibration = Calibration.fit(margins, labels);

        assertThat(calibration.slope()).isPositive();
        assertThat(calibration.probability(0)).isCloseTo(0.5, within(0.02));
    }

    @Test
    void aModelReadBackScoresTheSame() throws Exception {
        var model = ModelTrainer.train(TABLE, "inactivity", MONTH, 1).model();
        var rows = List.of(adapt(model, TABLE.rows().getFirst()), missing(model));

        var back = ChurnModel.fromBytes(model.toBytes());

        assertThat(back.features()).isEqualTo(model.features());
        assertThat(back.threshold()).isEqualTo(model.threshold());
        assertThat(back.score(rows)).isEqualTo(model.score(rows));
        assertThat(back.explain(rows)).isEqualTo(model.explain(rows));
    }

    /** The file was written by the first version of the format, and must load for ever. */
    @Test
    void theGoldenModelStillLoads() throws IOException {
        try (var in = getClass().getResourceAsStream("/churn-model-v1.bin")) {
            var model = ChurnModel.fromBytes(in.readAllBytes());

            assertThat(model.features())
                    .containsExactly("recency_days", "frequency", "noise", "spend");
            var scores =
                    model.score(
                            List.of(
                                    model.row(
                                            Map.of(
                                                    "recency_days", 40.0,
                                                    "frequency", 1.0,
                                                    "spend", 10.0)),
                                    model.row(Map.of("recency_days", 2.0, "frequency", 9.0))));
            assertThat(scores.get(0).probability()).isCloseTo(GOLDEN_LEAVES, within(1e-6));
            assertThat(scores.get(1).probability()).isCloseTo(GOLDEN_STAYS, within(1e-6));
        }
    }

    private static final double GOLDEN_LEAVES = 0.7336692883134763;
    private static final double GOLDEN_STAYS = 0.06918059543460117;

    @Test
    void refusesBytesThatAreNoModel() {
        assertThatThrownBy(() -> ChurnModel.fromBytes(new byte[] {1, 2, 3}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a model");
        assertThatThrownBy(() -> ChurnModel.fromBytes("MCM1\0\0\0\u0001{".getBytes()))
                .isInstanceOf(RuntimeException.class);
    }

    @Test
    void refusesTooFewOfEitherClassWithTheirCounts() {
        var few = TABLE.where(i -> TABLE.labels()[i] < 0.5f || i < 40);

        assertThatThrownBy(() -> ModelTrainer.train(few, "inactivity", MONTH, 1))
                .isInstanceOf(TooFewRowsException.class)
                .hasMessageContaining(few.positives() + " that leave")
                .hasMessageContaining((few.size() - few.positives()) + " that stay");
    }

    @Test
    void leavesOutFeaturesThatAreScoresThemselvesOrConstant() throws Exception {
        var names = List.of("recency_days", "frequency", "churn_risk", "always");
        var rows =
                IntStream.range(0, TABLE.size())
                        .mapToObj(i ->
                                new float[] {
                                    TABLE.rows().get(i)[0],
                                    TABLE.rows().get(i)[1],
                                    TABLE.labels()[i],
                                    7
                                })
                        .toList();
        var table = new TrainingTable(names, rows, TABLE.labels(), TABLE.users(), TABLE.asOf());

        var trained = ModelTrainer.train(table, "inactivity", MONTH, 1);

        assertThat(trained.model().features()).containsExactly("recency_days", "frequency");
        assertThat(trained.manifest().warnings())
                .anyMatch(w -> w.contains("churn_risk"))
                .anyMatch(w -> w.contains("always"));
    }

    @Test
    void predictsTheSameFromManyThreads() throws Exception {
        var model = ModelTrainer.train(TABLE, "inactivity", MONTH, 1).model();
        var rows = TABLE.rows().stream().map(r -> adapt(model, r)).toList();
        var expected = model.score(rows);

        try (var threads = Executors.newFixedThreadPool(4)) {
            var runs =
                    IntStream.range(0, 16)
                            .mapToObj(i -> threads.submit(() -> model.score(rows)))
                            .toList();
            for (var run : runs) {
                assertThat(run.get()).isEqualTo(expected);
            }
        }
    }

    private static float[] adapt(ChurnModel model, float[] row) {
        var named = new java.util.HashMap<String, Double>();
        for (int f = 0; f < row.length; f++) {
            if (!Float.isNaN(row[f])) {
                named.put(TABLE.features().get(f), (double) row[f]);
            }
        }
        return model.row(named);
    }

    private static float[] missing(ChurnModel model) {
        var row = new float[model.features().size()];
        Arrays.fill(row, Float.NaN);
        return row;
    }
}
