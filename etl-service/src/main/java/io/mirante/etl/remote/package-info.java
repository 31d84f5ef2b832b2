/** Rows of sources elsewhere, S3 and PostgreSQL, fetched into files for a run. Blocks; memory does not grow with what is fetched. */
@NullMarked
package io.mirante.etl.remote;

import org.jspecify.annotations.NullMarked;
