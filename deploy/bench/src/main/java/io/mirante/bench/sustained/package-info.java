/** Whether a whole mesh keeps up with a steady stream of events. */
@NullMarked
package io.mirante.bench.sustained;

import org.jspecify.annotations.NullMarked;
