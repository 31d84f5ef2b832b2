/** {@code ./mesh bench start}: start time and memory of the whole mesh against eight bare applications (probe L9). */
@NullMarked
package io.mirante.bench.start;

import org.jspecify.annotations.NullMarked;
