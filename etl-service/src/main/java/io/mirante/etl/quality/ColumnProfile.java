package io.mirante.etl.quality;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a column holds.
 *
 * @param missing rows without a value
 * @param distinct different values
 * @param mean of numbers
 * @param std standard deviation (sample) of numbers
 * @param quantiles of numbers, at 0, 1, … 100 %: the least value that so many of them are at most; empty for others
 * @param top most frequent values, ten at most
 */
public record ColumnProfile(
        String type,
        long missing,
        long distinct,
        @Nullable Double mean,
        @Nullable Double std,
        List<Double> quantiles,
        List<TopValue> top) {

    /** A value and how many rows have it. */
    public record TopValue(String value, long count) {}

    public ColumnProfile {
        quantiles = List.copyOf(quantiles);
        top = List.copyOf(top);
    }
}
