/** Sends rejected events again after a contract, a setting or the service has changed; an event is counted once. */
@NullMarked
package io.mirante.ingestion.replay;

import org.jspecify.annotations.NullMarked;
