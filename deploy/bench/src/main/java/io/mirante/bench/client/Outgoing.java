package io.mirante.bench.client;

/**
 * An event or reading on its way out.
 *
 * @param id as the sender knows it; what {@link Delivery#rejectedIds()} lists
 * @param json one JSON object in UTF-8
 */
public record Outgoing(String id, byte[] json) {}
