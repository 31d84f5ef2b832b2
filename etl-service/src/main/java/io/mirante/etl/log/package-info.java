/** The event log: which events exist, whose they are, and what goes on from here. */
@NullMarked
package io.mirante.etl.log;

import org.jspecify.annotations.NullMarked;
