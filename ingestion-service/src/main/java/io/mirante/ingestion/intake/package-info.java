/** What events and readings have in common: each is stored, or kept with its reason, or to be sent again. */
@NullMarked
package io.mirante.ingestion.intake;

import org.jspecify.annotations.NullMarked;
