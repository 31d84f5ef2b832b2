/** The mesh that a benchmark starts for itself. */
@NullMarked
package io.mirante.bench.mesh;

import org.jspecify.annotations.NullMarked;
