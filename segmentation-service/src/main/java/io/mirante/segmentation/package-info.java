/**
 * Who the users are: profiles, RFM segments, clusters and their KPIs.
 *
 * <p>Profiles, features and risks are applied in the transaction that advances each consumer's position: a redelivered
 * poll changes nothing. Clusters are published by revision (at least once, same content).
 *
 * <p>Threads: consumers on the binder's thread, clustering as a job on a virtual thread, requests on event loops.
 */
@NullMarked
package io.mirante.segmentation;

import org.jspecify.annotations.NullMarked;
