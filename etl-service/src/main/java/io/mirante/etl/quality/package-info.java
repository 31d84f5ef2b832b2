/**
 * Data quality of a table from outside: how it is cleaned, eleven checks on what was given and on what is left, a score and a
 * profile. Everything runs in a DuckDB file of the run's own.
 */
@NullMarked
package io.mirante.etl.quality;

import org.jspecify.annotations.NullMarked;
