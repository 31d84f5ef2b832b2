/**
 * The way in: checks events and readings against their contracts and hands them to Kafka.
 *
 * <p>Delivery: a 2xx goes out only after Kafka has stored the record ({@code acks=all}, idempotent); anything else may be
 * sent again. Threads: event loops read and answer; large and packed bodies are worked on by a small pool of their own.
 */
@NullMarked
package io.mirante.ingestion;

import org.jspecify.annotations.NullMarked;
