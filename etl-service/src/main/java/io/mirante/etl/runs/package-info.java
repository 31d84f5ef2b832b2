/** Batch runs: named sources, and what a run of one found. */
@NullMarked
package io.mirante.etl.runs;

import org.jspecify.annotations.NullMarked;
