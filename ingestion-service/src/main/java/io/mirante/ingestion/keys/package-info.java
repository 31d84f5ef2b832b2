/** Where the master key that seals rejected originals comes from. */
@NullMarked
package io.mirante.ingestion.keys;

import org.jspecify.annotations.NullMarked;
