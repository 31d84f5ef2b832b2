package io.mirante.bench.simulation;

import java.util.List;

/**
 * A SplitMix64 generator, written out so that the same seed gives the same events on every JDK for ever. Each actor and
 * day gets its own dice from its coordinates, so that any day can be made without the days before it. Not thread-safe.
 */
final class Dice {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    private long state;

    /** Dice for one place in the simulation; equal coordinates roll equally. */
    Dice(long seed, long... coordinates) {
        long mixed = mix(seed + GOLDEN);
        for (long coordinate : coordinates) {
            mixed = mix(mixed ^ (coordinate * GOLDEN + 0x632BE59BD9B4E019L));
        }
        state = mixed;
    }

    long next() {
        state += GOLDEN;
        return mix(state);
    }

    /** Uniform in [0, 1). */
    double uniform() {
        return (next() >>> 11) * 0x1.0p-53;
    }

    /** Uniform in [0, bound). */
    int below(int bound) {
        return (int) (uniform() * bound);
    }

    double between(double low, double high) {
        return low + uniform() * (high - low);
    }

    boolean chance(double probability) {
        return uniform() < probability;
    }

    <T> T pick(List<T> choices) {
        return choices.get(below(choices.size()));
    }

    /** Standard normal (Box–Muller, StrictMath so that it rolls alike everywhere). */
    double normal() {
        double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform()));
        return radius * StrictMath.cos(2 * StrictMath.PI * uniform());
    }

    /** Poisson by Knuth's product; for means up to about 20. */
    int poisson(double mean) {
        double limit = StrictMath.exp(-mean);
        double product = uniform();
        int count = 0;
        while (product > limit) {
            product *= uniform();
            count++;
        }
        return count;
    }

    private static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
