package io.mirante.bench.simulation;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * What a simulation is made from; equal settings make equal events.
 *
 * @param seed any number
 * @param start first instant of the history, a midnight UTC
 * @param end where the history ends, exclusive; after start
 * @param people registered customers, 20 to 1,000,000; about as many anonymous visitors come on top each month
 * @param machines machines that send telemetry, 0 to 1,000
 * @param invalidShare extra events that no contract accepts, per valid one, in [0, 0.5]
 * @param duplicateShare events that are sent a second time with the same id and content, in [0, 0.5]
 */
public record SimulationSettings(
        long seed,
        Instant start,
        Instant end,
        int people,
        int machines,
        double invalidShare,
        double duplicateShare) {

    public SimulationSettings {
        if (!start.equals(start.truncatedTo(ChronoUnit.DAYS))) {
            throw new IllegalArgumentException("start must be a midnight UTC, was " + start);
        }
        if (!start.isBefore(end)) {
            throw new IllegalArgumentException("end must be after start " + start + ", was " + end);
        }
        if (!(people >= 20 && people <= 1_000_000)) {
            throw new IllegalArgumentException("people must be 20 to 1,000,000, was " + people);
        }
        if (!(machines >= 0 && machines <= 1_000)) {
            throw new IllegalArgumentException("machines must be 0 to 1,000, was " + machines);
        }
        requireShare("invalidShare", invalidShare);
        requireShare("duplicateShare", duplicateShare);
    }

    /** The demo's usual scale around a history: four machines, one event in 250 invalid, one in 100 sent twice. */
    public static SimulationSettings of(long seed, Instant start, Instant end, int people) {
        return new SimulationSettings(seed, start, end, people, 4, 0.004, 0.01);
    }

    private static void requireShare(String name, double share) {
        if (!(share >= 0 && share <= 0.5)) {
            throw new IllegalArgumentException(name + " must be in [0, 0.5], was " + share);
        }
    }
}
