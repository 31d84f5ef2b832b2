package io.mirante.etl.quality;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * The values of a column of numbers in their order. Of a column that is too long to be held, DuckDB sorts them, and parts
 * are fetched as they are asked for. Used by one thread.
 */
final class SortedNumbers {

    /** Values in memory. */
    static final int HELD = 4_000_000;

    private final long size;
    private final int partSize;
    private final Parts parts;
    private double[] part;
    private long first;

    private interface Parts {
        /** The part that a value is in. */
        double[] from(long first) throws SQLException;
    }

    /** A value, and how often it is there. */
    record Counted(double value, long count) {}

    private interface Condition {
        boolean holds(double value);
    }

    private SortedNumbers(long size, int partSize, double[] part, Parts parts) {
        this.size = size;
        this.partSize = partSize;
        this.part = part;
        this.parts = parts;
    }

    /**
     * Those of an array in their order.
     *
     * @param values {@link #HELD} at most; NaN, which is last, is none
     */
    static SortedNumbers of(double[] values) {
        int size = values.length;
        while (size > 0 && Double.isNaN(values[size - 1])) {
            size--;
        }
        return new SortedNumbers(size, Integer.MAX_VALUE, values, first -> values);
    }

    /**
     * Those of a table's column {@code value}, whose rows are in its order, in parts.
     *
     * @param partSize values in memory
     */
    static SortedNumbers of(Tables tables, String sorted, long size, int partSize)
            throws SQLException {
        Parts parts =
                first ->
                        tables.columns(
                                        "SELECT value FROM %s WHERE rowid >= %d AND rowid < %d"
                                                .formatted(sorted, first, first + partSize),
                                        (int) Math.min(partSize, size - first))[0];
        return new SortedNumbers(size, partSize, parts.from(0), parts);
    }

    long size() {
        return size;
    }

    /** The value at a rank from 0. */
    double at(long rank) throws SQLException {
        long of = rank / partSize * partSize;
        if (of != first) {
            part = parts.from(of);
            first = of;
        }
        return part[(int) (rank - first)];
    }

    /** How many values come before all those that a condition holds for; it holds for all after the first one it holds for. */
    private long before(Condition condition) throws SQLException {
        long low = 0;
        long high = size;
        while (low < high) {
            long middle = (low + high) >>> 1;
            if (condition.holds(at(middle))) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** How many are less. */
    long below(double bound) throws SQLException {
        return before(value -> value >= bound);
    }

    /** How many are less or equal. */
    long atMost(double bound) throws SQLException {
        return before(value -> value > bound);
    }

    /** Between the two values next to it where the rank is no whole one. */
    double quantile(double share) throws SQLException {
        double rank = share * (size - 1);
        long low = (long) Math.floor(rank);
        double value = at(low);
        return rank == low ? value : value + (rank - low) * (at(low + 1) - value);
    }

    /** The least value that at least that share of the values is at most; a value that is there. */
    double reached(int percent) throws SQLException {
        return at(Math.max(0, (size * percent + 99) / 100 - 1));
    }

    /** Median of the distances from a value. */
    double medianDistance(double from) throws SQLException {
        double upper = distance(from, size / 2);
        return size % 2 == 1 ? upper : (distance(from, size / 2 - 1) + upper) / 2;
    }

    /** The distance from a value at a rank from 0 among all of them. */
    private double distance(double from, long rank) throws SQLException {
        long left = below(from);
        long right = size - left;
        long count = rank + 1;
        // Of the nearest so many, how many are below: the least number whose next one to the left
        // is no nearer than the last to the right.
        long low = Math.max(0, count - right);
        long high = Math.min(count, left);
        while (low < high) {
            long taken = (low + high) >>> 1;
            if (from - at(left - 1 - taken) >= at(left + count - taken - 1) - from) {
                high = taken;
            } else {
                low = taken + 1;
            }
        }
        double farthest = low == 0 ? 0 : from - at(left - low);
        return low == count ? farthest : Math.max(farthest, at(left + count - low - 1) - from);
    }

    /** How many lie so far beyond both of two fences; see {@link #beyond}. */
    record Beyond(long both, long fence, long median) {}

    /**
     * How many lie outside of a range that the median is in, are that far from the median, and both.
     *
     * @param score robust z-score at least of which is beyond {@code most}; 0 = any
     */
    Beyond beyond(double low, double high, double median, double scale, double most)
            throws SQLException {
        Condition far = value -> scale == 0 || scale * Math.abs(value - median) > most;
        long farBelow = before(value -> value >= median || !far.holds(value));
        long farAbove = size - before(value -> value >= median && far.holds(value));
        if (scale == 0) {
            farBelow = size;
            farAbove = 0;
        }
        long below = below(low);
        long above = size - atMost(high);
        return new Beyond(
                scale == 0 ? below + above : Math.min(below, farBelow) + Math.min(above, farAbove),
                below + above,
                farBelow + farAbove);
    }

    /** Different values, and those that are there most often: of those that are as often, the least ones. */
    record Different(long count, List<Counted> most) {}

    /** See {@link Different}. */
    Different different(int mostOften) throws SQLException {
        var rarestFirst =
                new PriorityQueue<>(
                        Comparator.comparingLong(Counted::count)
                                .thenComparing(
                                        Comparator.comparingDouble(Counted::value).reversed()));
        long different = 0;
        for (long from = 0; from < size; ) {
            double value = at(from);
            long until = from + 1;
            while (until < size && at(until) == value) {
                until++;
            }
            different++;
            if (rarestFirst.size() < mostOften || until - from > rarestFirst.element().count()) {
                rarestFirst.add(new Counted(value, until - from));
                if (rarestFirst.size() > mostOften) {
                    rarestFirst.remove();
                }
            }
            from = until;
        }
        var most = new ArrayList<Counted>();
        while (!rarestFirst.isEmpty()) {
            most.addFirst(rarestFirst.remove());
        }
        return new Different(different, most);
    }

    double mean() throws SQLException {
        double sum = 0;
        for (long i = 0; i < size; i++) {
            sum += at(i);
        }
        return sum / size;
    }

    /** Of a sample; NaN below two values. */
    double deviation(double mean) throws SQLException {
        double squares = 0;
        for (long i = 0; i < size; i++) {
            double apart = at(i) - mean;
            squares += apart * apart;
        }
        return size < 2 ? Double.NaN : Math.sqrt(squares / (size - 1));
    }
}
