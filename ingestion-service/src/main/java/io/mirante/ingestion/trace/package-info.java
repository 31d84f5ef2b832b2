/** Where an event is: each service reports its own step over REST, this puts them together. */
@NullMarked
package io.mirante.ingestion.trace;

import org.jspecify.annotations.NullMarked;
