/** Segment's HTTP tracking API, so that its own client libraries work with only the host changed. */
@NullMarked
package io.mirante.ingestion.segment;

import org.jspecify.annotations.NullMarked;
