/**
 * The test base: real Kafka and PostgreSQL, one of each per JVM, shared by all test classes; architecture rules; faults.
 */
@NullMarked
package io.mirante.testkit;

import org.jspecify.annotations.NullMarked;
