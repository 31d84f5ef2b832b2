package io.mirante.platform.messaging;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import reactor.core.publisher.Mono;

/**
 * Keeps what cannot be processed on the service's dead-letter topic: the record as it was, with the reason, the consumer
 * and where it stood. Keyed by where it stood, so that a second copy is recognised. Thread-safe.
 */
final class DeadLetters {

    private final String topic;
    private final EventSender sender;

    DeadLetters(String service, EventSender sender) {
        this.topic = Topics.dead(service).name();
        this.sender = sender;
    }

    /** A record and why it is dead. */
    record Dead(ConsumerRecord<byte[], byte[]> record, String reason, String detail) {}

    /** Completes when Kafka has stored all of them. */
    Mono<Void> keep(String consumer, List<Dead> dead) {
        return dead.isEmpty()
                ? Mono.empty()
                : sender.sendAll(dead.stream().map(one -> letter(consumer, one)).toList());
    }

    private Outgoing letter(String consumer, Dead dead) {
        var record = dead.record();
        Map<String, String> headers = new HashMap<>();
        record.headers()
                .forEach(h -> {
                    if (h.value() != null) {
                        headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8));
                    }
                });
        headers.put(CloudHeaders.REASON, dead.reason());
        headers.put(CloudHeaders.REASON_DETAIL, Objects.requireNonNullElse(dead.detail(), ""));
        headers.put(DeadLetter.CONSUMER, consumer);
        headers.put(DeadLetter.TOPIC, record.topic());
        headers.put(DeadLetter.PARTITION, Integer.toString(record.partition()));
        headers.put(DeadLetter.OFFSET, Long.toString(record.offset()));
        headers.put(DeadLetter.TIME, Instant.ofEpochMilli(record.timestamp()).toString());
        if (record.key() == null) {
            headers.remove(DeadLetter.KEY);
        } else {
            headers.put(DeadLetter.KEY, Base64.getEncoder().encodeToString(record.key()));
        }
        var key = record.topic() + "-" + record.partition() + "@" + record.offset();
        return new Outgoing(
                topic, null, key.getBytes(StandardCharsets.UTF_8), record.value(), headers);
    }
}
