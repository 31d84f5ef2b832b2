package io.mirante.churn.model;

import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * How a model came to be: with the same input and seed the same model comes out again.
 *
 * @param label such as {@code inactivity}
 * @param horizon ISO 8601 duration the label looks ahead
 * @param dataFrom first date of the rows
 * @param dataTo last date of the rows, held out
 * @param rows all rows used, held-out ones included
 * @param split how rows were held out, in words
 * @param inputHash hex SHA-256 of the rows
 * @param parameters of the booster
 * @param rounds trees, found by early stopping
 * @param baseValue log-odds without any feature
 * @param metrics on held-out rows
 * @param importance share of the gain by feature
 */
public record ModelManifest(
        int format,
        long seed,
        String label,
        String horizon,
        Instant dataFrom,
        Instant dataTo,
        int rows,
        int positives,
        int heldOutRows,
        int heldOutPositives,
        String split,
        String inputHash,
        Map<String, String> parameters,
        int rounds,
        List<String> features,
        Calibration calibration,
        double threshold,
        double baseValue,
        Metrics metrics,
        Map<String, Double> importance,
        List<String> warnings) {}
