package io.mirante.bench.simulation;

/** What a mesh has to do with a simulated event. */
public enum Fate {
    /** Accept, store and count it. */
    VALID,
    /** Accept it, and count it no second time: id and content were sent before. */
    DUPLICATE,
    /** Refuse it and keep it with the reason. */
    INVALID
}
