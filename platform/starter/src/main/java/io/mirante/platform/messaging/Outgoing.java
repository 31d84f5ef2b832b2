package io.mirante.platform.messaging;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * A record to send.
 *
 * @param partition null = chosen by the key
 * @param value null = a tombstone
 * @param headers CloudEvent headers and Mirante's own, see {@link io.mirante.contracts.CloudHeaders}; not copied, since there is
 *     one such map per event: who gave it does not change it
 */
public record Outgoing(
        String topic,
        @Nullable Integer partition,
        byte[] key,
        byte @Nullable [] value,
        Map<String, String> headers) {

    public Outgoing {
        headers = Collections.unmodifiableMap(headers);
    }

    /** As the producer takes it. */
    public ProducerRecord<byte[], byte[]> toRecord() {
        var record = new ProducerRecord<byte[], byte[]>(topic, partition, key, value);
        headers.forEach(
                (name, text) -> record.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
        return record;
    }
}
