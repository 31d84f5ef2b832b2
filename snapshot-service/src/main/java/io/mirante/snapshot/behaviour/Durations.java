package io.mirante.snapshot.behaviour;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A growing list of durations in µs, with their exact median. Not thread-safe. */
final class Durations {

    private static final long[] NONE = {};

    private long[] values = NONE;
    private int size;

    void add(long micros) {
        reserve(1);
        values[size++] = micros;
    }

    void addAll(Durations others) {
        reserve(others.size);
        System.arraycopy(others.values, 0, values, size, others.size);
        size += others.size;
    }

    int size() {
        return size;
    }

    private void reserve(int more) {
        if (size + more > values.length) {
            values = Arrays.copyOf(values, Math.max(size + more, Math.max(4, size * 2)));
        }
    }

    /** The middle one, of two the mean; null when there is none. */
    @Nullable Double medianSeconds() {
        if (size == 0) {
            return null;
        }
        Arrays.sort(values, 0, size);
        int middle = size / 2;
        double median =
                size % 2 == 1
                        ? values[middle]
                        : values[middle - 1] + (values[middle] - values[middle - 1]) / 2.0;
        return median / 1e6;
    }

    /** Null when there is none. */
    @Nullable Double averageSeconds() {
        if (size == 0) {
            return null;
        }
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += values[i];
        }
        return sum / size / 1e6;
    }
}
