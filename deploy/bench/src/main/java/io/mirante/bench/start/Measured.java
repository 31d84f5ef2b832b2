package io.mirante.bench.start;

import java.time.Duration;

/**
 * One start.
 *
 * @param untilReady from the command to everything ready
 * @param pssBytes proportional set size of all processes, idle
 */
record Measured(Duration untilReady, long pssBytes) {}
