/** {@code ./mesh bench start}: start time and memory of the whole mesh against eight applications that do nothing (probe L9). */
@NullMarked
package io.mirante.bench.start;

import org.jspecify.annotations.NullMarked;
