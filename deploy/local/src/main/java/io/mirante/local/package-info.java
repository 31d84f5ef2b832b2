/**
 * The local mesh: Kafka, PostgreSQL and the eight services on one machine, as child processes that outlive the launcher.
 * What runs is known from files in the home folder (process number and instant of start), so any later launcher can see,
 * stop or complete it. Commands block; one lock per home folder keeps two of them from changing it at once.
 */
@NullMarked
package io.mirante.local;

import org.jspecify.annotations.NullMarked;
