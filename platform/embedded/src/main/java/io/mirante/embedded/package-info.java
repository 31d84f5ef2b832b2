/**
 * Real Kafka (KRaft, one node) and real PostgreSQL as child processes, from Maven artifacts alone, for local operation
 * and for tests. Both outlive the JVM that started them, unless asked to stop with it; both survive kill -9 and start
 * again on the same folder. Servers listen on the loopback address only. Classes block the calling thread.
 */
@NullMarked
package io.mirante.embedded;

import org.jspecify.annotations.NullMarked;
