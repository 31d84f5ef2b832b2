/** Files of events: uploaded as they are, taken line by line by a job, with a report of what was not taken. */
@NullMarked
package io.mirante.ingestion.imports;

import org.jspecify.annotations.NullMarked;
