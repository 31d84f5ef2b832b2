package io.mirante.snapshot.behaviour;

/**
 * Finds a person's way through a funnel: how many steps were reached, and when. Keeps scratch memory between calls: not thread-safe,
 * one per question.
 */
interface PathFinder {

    /**
     * The person's path: of all that get furthest the one that starts earliest, and after its start each step as early as
     * possible.
     *
     * @param micros times of the events in µs, never decreasing
     * @param masks what the events are, as {@link Funnel} says
     * @param events how many of the two arrays are filled
     * @return the time of each step reached, in µs, never decreasing; empty when none was
     */
    long[] find(long[] micros, int[] masks, int events);
}
