/** Behavioural and operational events over HTTP: one, or many. */
@NullMarked
package io.mirante.ingestion.events;

import org.jspecify.annotations.NullMarked;
