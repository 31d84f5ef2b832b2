/**
 * The lake: a tenant's events as Parquet files of one day each, of which a manifest in PostgreSQL says which there are. Files are written
 * before their manifest row and removed after it.
 */
@NullMarked
package io.mirante.snapshot.lake;

import org.jspecify.annotations.NullMarked;
