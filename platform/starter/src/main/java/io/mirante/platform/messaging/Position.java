package io.mirante.platform.messaging;

/** Where a record stands in Kafka. */
public record Position(String topic, int partition, long offset) {}
