package io.mirante.churn.model;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Labelled rows: one per user and date. Not copied; callers must not change the arrays.
 *
 * @param features names of the columns
 * @param rows each as long as {@code features}, NaN = missing
 * @param labels 0 or 1
 * @param asOf date each row's features speak of; the label speaks of the time after it
 */
public record TrainingTable(
        List<String> features,
        List<float[]> rows,
        float[] labels,
        List<String> users,
        List<Instant> asOf) {

    public TrainingTable {
        if (!(rows.size() == labels.length
                && users.size() == labels.length
                && asOf.size() == labels.length)) {
            throw new IllegalArgumentException(
                    "rows, labels, users and dates must be as many, were "
                            + List.of(rows.size(), labels.length, users.size(), asOf.size()));
        }
    }

    public int size() {
        return labels.length;
    }

    public int positives() {
        int positives = 0;
        for (float label : labels) {
            positives += label > 0.5f ? 1 : 0;
        }
        return positives;
    }

    /** The rows whose number passes. */
    public TrainingTable where(IntPredicate kept) {
        int[] which = IntStream.range(0, size()).filter(kept).toArray();
        var chosen = new float[which.length];
        for (int i = 0; i < which.length; i++) {
            chosen[i] = labels[which[i]];
        }
        return new TrainingTable(
                features,
                IntStream.of(which).mapToObj(rows::get).toList(),
                chosen,
                IntStream.of(which).mapToObj(users::get).toList(),
                IntStream.of(which).mapToObj(asOf::get).toList());
    }

    /** Hex SHA-256 over names and rows in their order: equal for equal input. */
    public String hash() {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            digest.update(String.join("\n", features).getBytes(StandardCharsets.UTF_8));
            for (int i = 0; i < size(); i++) {
                digest.update(users.get(i).getBytes(StandardCharsets.UTF_8));
                var row = ByteBuffer.allocate(16 + 4 * features.size());
                row.putLong(asOf.get(i).toEpochMilli()).putFloat(labels[i]);
                for (float value : rows.get(i)) {
                    row.putFloat(value);
                }
                digest.update(row.array());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
