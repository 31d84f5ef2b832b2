/**
 * Decides what counts: identities of events, numbers of persons, the event log, features.
 *
 * <p>Guarantee: a record is stored before it is published, and published at least once with its source position, so that
 * readers count it once. Polls run on the binder's threads, features on one thread of their own, jobs on virtual ones.
 */
@NullMarked
package io.mirante.etl;

import org.jspecify.annotations.NullMarked;
