package io.mirante.churn.model;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import ml.dmlc.xgboost4j.java.Booster;
import ml.dmlc.xgboost4j.java.DMatrix;
import ml.dmlc.xgboost4j.java.XGBoost;
import ml.dmlc.xgboost4j.java.XGBoostError;

/**
 * Fits, calibrates and judges a model. Deterministic for the same table and seed. Blocks and uses one core; not for
 * event loops.
 *
 * <p>Held out is the last date. Rows of earlier dates whose label window reaches into the held-out one's would leak
 * labels, so they are left out; where none would remain, three users in ten are held out instead and appear nowhere
 * else. A fifth of the remaining users stops the boosting, fits the calibration and chooses the threshold (the one with
 * the best F1).
 */
public final class ModelTrainer {

    /** Fewest rows of either class that a model is trained on. */
    public static final int FEWEST = 100;

    private static final int FEWEST_HELD_OUT = 10;
    private static final int MOST_ROUNDS = 300;
    private static final int PATIENCE = 20;

    private ModelTrainer() {}

    /** A model with its manifest. */
    public record Trained(ChurnModel model, ModelManifest manifest) {}

    /**
     * Trains.
     *
     * @param horizon what the label looks ahead
     * @throws TooFewRowsException when a class is too rare
     */
    public static Trained train(TrainingTable table, String label, Duration horizon, long seed)
            throws TooFewRowsException {
        int positives = table.positives();
        int negatives = table.size() - positives;
        if (positives < FEWEST || negatives < FEWEST) {
            throw new TooFewRowsException(
                    "a model needs at least %d rows of either class; there are %d that leave and %d that stay"
                            .formatted(FEWEST, positives, negatives));
        }
        var warnings = new ArrayList<String>();
        var usable = withoutUseless(table, warnings);
        var split = split(usable, horizon, seed, warnings);
        try {
            return fit(usable, split, label, horizon, seed, warnings);
        } catch (XGBoostError e) {
            throw new IllegalStateException("training failed: " + e.getMessage(), e);
        }
    }

    private static Trained fit(
            TrainingTable table,
            Split split,
            String label,
            Duration horizon,
            long seed,
            List<String> warnings)
            throws XGBoostError {
        var parameters = parameters(seed);
        var fitting = matrix(split.fit());
        var choosing = matrix(split.choose());
        try {
            int rounds = bestRounds(fitting, choosing, split.choose().labels(), parameters);
            Booster booster = XGBoost.train(fitting, parameters, rounds, Map.of(), null, null);
            var uncalibrated = new ChurnModel(booster, table.features(), Calibration.NONE, 0.5);
            var margins = uncalibrated.margins(flat(split.choose()), split.choose().size());
            var calibration = Calibration.fit(margins, split.choose().labels());
            var model =
                    new ChurnModel(
                            booster,
                            table.features(),
                            calibration,
                            threshold(margins, split.choose().labels(), calibration));
            return new Trained(
                    model,
                    manifest(
                            table,
                            split,
                            model,
                            label,
                            horizon,
                            seed,
                            parameters,
                            rounds,
                            warnings));
        } finally {
            fitting.dispose();
            choosing.dispose();
        }
    }

    private static ModelManifest manifest(
            TrainingTable table,
            Split split,
            ChurnModel model,
            String label,
            Duration horizon,
            long seed,
            Map<String, Object> parameters,
            int rounds,
            List<String> warnings) {
        var heldOut = split.heldOut();
        var metrics = judge(model, heldOut, seed);
        if (metrics.rocAuc().low() <= 0.5) {
            warnings.add("on held-out rows the model orders no better than chance");
        }
        if (metrics.rocAuc().value() > 0.97) {
            warnings.add("suspiciously good: check whether a feature knows the label");
        }
        var named = new TreeMap<String, String>();
        parameters.forEach((name, value) -> named.put(name, String.valueOf(value)));
        var dates = new TreeSet<>(table.asOf());
        return new ModelManifest(
                1,
                seed,
                label,
                iso(horizon),
                dates.first(),
                dates.last(),
                split.fit().size() + split.choose().size() + heldOut.size(),
                split.fit().positives() + split.choose().positives() + heldOut.positives(),
                heldOut.size(),
                heldOut.positives(),
                split.how(),
                table.hash(),
                named,
                rounds,
                table.features(),
                model.calibration(),
                model.threshold(),
                model.explain(heldOut.rows().subList(0, 1)).getFirst().baseValue(),
                metrics,
                model.importance(),
                List.copyOf(warnings));
    }

    /**
     * Judges any model on rows, whatever their columns are: what it does not know is left out, what it misses is
     * missing.
     */
    public static Metrics judge(ChurnModel model, TrainingTable rows, long seed) {
        var own = new ArrayList<float[]>(rows.size());
        for (var row : rows.rows()) {
            var named = new HashMap<String, Double>();
            for (int f = 0; f < row.length; f++) {
                if (!Float.isNaN(row[f])) {
                    named.put(rows.features().get(f), (double) row[f]);
                }
            }
            own.add(model.row(named));
        }
        var probabilities = model.score(own).stream().mapToDouble(Score::probability).toArray();
        return Metrics.of(probabilities, rows.labels(), seed);
    }

    /** The rows that {@link #train} holds out of a table: for comparing an older model on the same. */
    public static TrainingTable heldOut(TrainingTable table, Duration horizon, long seed)
            throws TooFewRowsException {
        return split(table, horizon, seed, new ArrayList<>()).heldOut();
    }

    private record Split(
            TrainingTable fit, TrainingTable choose, TrainingTable heldOut, String how) {}

    private static Split split(
            TrainingTable table, Duration horizon, long seed, List<String> warnings)
            throws TooFewRowsException {
        Instant last = new TreeSet<>(table.asOf()).last();
        var latest = table.where(i -> table.asOf().get(i).equals(last));
        var clean = table.where(i -> !table.asOf().get(i).plus(horizon).isAfter(last));
        TrainingTable earlier;
        TrainingTable heldOut;
        String how;
        if (enough(clean, FEWEST) && enough(latest, FEWEST_HELD_OUT)) {
            earlier = clean;
            heldOut = latest;
            how = "by time: the last date is held out, label windows do not overlap";
        } else {
            heldOut = latest.where(i -> share(latest.users().get(i), seed) < 30);
            earlier = table.where(i -> share(table.users().get(i), seed) >= 30);
            how =
                    "by time and user: three users in ten are held out on the last date and seen nowhere else, because"
                            + " the history is too short for label windows that do not overlap";
            warnings.add(
                    "the history is short: label windows of fitted and held-out rows overlap in time (not in users)");
        }
        var fit = earlier.where(i -> share(earlier.users().get(i), seed + 1) >= 20);
        var choose = earlier.where(i -> share(earlier.users().get(i), seed + 1) < 20);
        for (var part : List.of(fit, choose, heldOut)) {
            if (!enough(part, FEWEST_HELD_OUT)) {
                throw new TooFewRowsException(
                        "too few rows to hold some out: %d that leave and %d that stay in a part of %d"
                                .formatted(
                                        part.positives(),
                                        part.size() - part.positives(),
                                        part.size()));
            }
        }
        return new Split(fit, choose, heldOut, how);
    }

    private static boolean enough(TrainingTable part, int fewest) {
        return part.positives() >= fewest && part.size() - part.positives() >= fewest;
    }

    /** 0 to 99, the same for a user whatever the row. */
    private static int share(String user, long seed) {
        long h = seed * 0x9e3779b97f4a7c15L + user.hashCode();
        h = (h ^ (h >>> 30)) * 0xbf58476d1ce4e5b9L;
        h = (h ^ (h >>> 27)) * 0x94d049bb133111ebL;
        return (int) Long.remainderUnsigned(h ^ (h >>> 31), 100);
    }

    /** Leaves out columns that say nothing (one value only) and any that is itself a churn risk. */
    private static TrainingTable withoutUseless(TrainingTable table, List<String> warnings) {
        var kept = new ArrayList<Integer>();
        for (int f = 0; f < table.features().size(); f++) {
            var name = table.features().get(f);
            if (name.contains("churn") || name.contains("risk")) {
                warnings.add("feature " + name + " left out: it is itself a churn score");
            } else if (constant(table, f)) {
                warnings.add("feature " + name + " left out: it has one value only");
            } else {
                kept.add(f);
            }
        }
        var rows = new ArrayList<float[]>(table.size());
        for (var row : table.rows()) {
            var narrow = new float[kept.size()];
            for (int i = 0; i < narrow.length; i++) {
                narrow[i] = row[kept.get(i)];
            }
            rows.add(narrow);
        }
        return new TrainingTable(
                kept.stream().map(table.features()::get).toList(),
                rows,
                table.labels(),
                table.users(),
                table.asOf());
    }

    private static boolean constant(TrainingTable table, int column) {
        float first = table.rows().getFirst()[column];
        return table.rows().stream().allMatch(row -> Float.compare(row[column], first) == 0);
    }

    private static double threshold(float[] margins, float[] labels, Calibration calibration) {
        Integer[] falling = new Integer[margins.length];
        Arrays.setAll(falling, i -> i);
        Arrays.sort(falling, (a, b) -> Float.compare(margins[b], margins[a]));
        double positives = 0;
        for (float label : labels) {
            positives += label;
        }
        double hits = 0;
        double best = -1;
        double threshold = 0.5;
        for (int i = 0; i < falling.length; i++) {
            hits += labels[falling[i]];
            double f1 = 2 * hits / (i + 1 + positives);
            boolean lastOfTie =
                    i + 1 == falling.length || margins[falling[i + 1]] != margins[falling[i]];
            if (lastOfTie && f1 > best) {
                best = f1;
                threshold = calibration.probability(margins[falling[i]]);
            }
        }
        return threshold;
    }

    /** Rounds after which the log loss on the choosing rows was least; stops when it has not fallen for a while. */
    private static int bestRounds(
            DMatrix fitting, DMatrix choosing, float[] labels, Map<String, Object> parameters)
            throws XGBoostError {
        // XGBoost's own early stopping prints every round to standard output.
        var booster = XGBoost.train(fitting, parameters, 1, Map.of(), null, null);
        try {
            int best = 1;
            double least = logLoss(booster, choosing, labels);
            for (int round = 2; round <= MOST_ROUNDS && round - best <= PATIENCE; round++) {
                booster.update(fitting, round - 1);
                double loss = logLoss(booster, choosing, labels);
                if (loss < least) {
                    least = loss;
                    best = round;
                }
            }
            return best;
        } finally {
            booster.dispose();
        }
    }

    private static double logLoss(Booster booster, DMatrix rows, float[] labels)
            throws XGBoostError {
        var margins = booster.predict(rows, true);
        double sum = 0;
        for (int i = 0; i < labels.length; i++) {
            double z = margins[i][0];
            sum += Math.max(z, 0) - labels[i] * z + Math.log1p(Math.exp(-Math.abs(z)));
        }
        return sum / labels.length;
    }

    private static Map<String, Object> parameters(long seed) {
        var parameters = new HashMap<String, Object>();
        parameters.put("objective", "binary:logistic");
        parameters.put("eval_metric", "logloss");
        parameters.put("tree_method", "hist");
        parameters.put("eta", 0.08);
        parameters.put("max_depth", 4);
        parameters.put("min_child_weight", 5);
        parameters.put("subsample", 0.8);
        parameters.put("colsample_bytree", 0.8);
        parameters.put("lambda", 2);
        parameters.put("nthread", 1);
        parameters.put("seed", seed);
        parameters.put("verbosity", 0);
        return parameters;
    }

    /** {@code P30D} rather than {@code PT720H}. */
    private static String iso(Duration horizon) {
        return horizon.equals(Duration.ofDays(horizon.toDays()))
                ? "P" + horizon.toDays() + "D"
                : horizon.toString();
    }

    private static DMatrix matrix(TrainingTable part) throws XGBoostError {
        var matrix = new DMatrix(flat(part), part.size(), part.features().size(), Float.NaN);
        matrix.setLabel(part.labels());
        return matrix;
    }

    private static float[] flat(TrainingTable part) {
        int width = part.features().size();
        var flat = new float[part.size() * width];
        for (int r = 0; r < part.size(); r++) {
            System.arraycopy(part.rows().get(r), 0, flat, r * width, width);
        }
        return flat;
    }
}
