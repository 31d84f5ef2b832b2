/** What people did, event by event: funnels, the overview, a person's events and sessions. */
@NullMarked
package io.mirante.snapshot.behaviour;

import org.jspecify.annotations.NullMarked;
