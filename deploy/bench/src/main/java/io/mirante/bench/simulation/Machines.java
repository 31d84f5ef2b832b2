package io.mirante.bench.simulation;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Presses that make a piece every six seconds when they run, and stop, warm up and wear as presses do. Immutable. */
final class Machines {
    /** Pieces a minute at the ideal cycle of 6 s. */
    private static final int IDEAL_PER_MINUTE = 10;

    private final long seed;
    private final List<String> ids;

    Machines(long seed, int count) {
        this.seed = seed;
        this.ids = IntStream.rangeClosed(1, count).mapToObj("press-%02d"::formatted).toList();
    }

    List<String> ids() {
        return ids;
    }

    Stream<SimulatedReading> minutes(Instant from, Instant to) {
        long first = Math.ceilDiv(from.getEpochSecond(), 60);
        long last = Math.ceilDiv(to.getEpochSecond(), 60);
        return LongStream.range(first, last)
                .boxed()
                .flatMap(minute ->
                        IntStream.range(0, ids.size())
                                .mapToObj(machine -> minute(machine, minute)));
    }

    List<SimulatedReading> second(long epochSecond) {
        Instant at = Instant.ofEpochSecond(epochSecond).truncatedTo(ChronoUnit.SECONDS);
        return IntStream.range(0, ids.size())
                .mapToObj(machine -> {
                    Dice dice = new Dice(seed, 9, machine, epochSecond);
                    boolean running = running(machine, epochSecond / 60);
                    int produced = running && epochSecond % 6 == 0 ? 1 : 0;
                    return reading(machine, at, dice, running, produced);
                })
                .toList();
    }

    private SimulatedReading minute(int machine, long minute) {
        Dice dice = new Dice(seed, 8, machine, minute);
        boolean running = running(machine, minute);
        int produced = running ? IDEAL_PER_MINUTE - dice.below(2) : 0;
        return reading(machine, Instant.ofEpochSecond(minute * 60), dice, running, produced);
    }

    private SimulatedReading reading(
            int machine, Instant at, Dice dice, boolean running, int produced) {
        int scrapped = 0;
        for (int piece = 0; piece < produced; piece++) {
            scrapped += dice.chance(0.015 + 0.01 * machine) ? 1 : 0;
        }
        double wear = 0.2 * machine;
        Map<String, Object> metrics = new LinkedHashMap<>();
        metrics.put(
                "temperature",
                round(running ? 68 + 3 * machine + 1.5 * dice.normal() : 41 + dice.normal()));
        metrics.put("vibration", round(running ? 1.8 + wear + 0.2 * Math.abs(dice.normal()) : 0.1));
        metrics.put("running", running ? 1 : 0);
        metrics.put("produced", produced);
        metrics.put("good", produced - scrapped);
        return new SimulatedReading(ids.get(machine), at, metrics);
    }

    /** A machine stops for 5 to 20 minutes, about once in four hours. */
    private boolean running(int machine, long minute) {
        long block = Math.floorDiv(minute, 240);
        Dice dice = new Dice(seed, 10, machine, block);
        long begins = block * 240 + dice.below(220);
        long lasts = 5 + dice.below(16);
        return minute < begins || minute >= begins + lasts;
    }

    private static double round(double value) {
        return Math.round(value * 100) / 100.0;
    }
}
