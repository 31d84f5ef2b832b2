/**
 * A seeded simulator of a shop, its support desk and its machines.
 *
 * <p>Same seed and same base instant, same events with the same ids, on every machine and for ever: playing a history
 * again adds nothing. The simulator knows what it made (see {@link io.mirante.bench.simulation.Recount}), so whoever
 * plays it can compare answers with the truth. Nothing here is shared between threads except immutable values.
 */
@NullMarked
package io.mirante.bench.simulation;

import org.jspecify.annotations.NullMarked;
