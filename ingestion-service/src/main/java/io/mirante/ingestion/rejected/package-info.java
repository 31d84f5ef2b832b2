/** Events that were not accepted: sent to their topic with the reason, stored from there, listed for their tenant. */
@NullMarked
package io.mirante.ingestion.rejected;

import org.jspecify.annotations.NullMarked;
