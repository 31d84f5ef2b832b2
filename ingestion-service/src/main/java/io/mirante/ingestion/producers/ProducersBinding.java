package io.mirante.ingestion.producers;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.Message;

/**
 * Consumes every topic {@code mirante.ingest.<tenant>}, also of tenants to come. Keeps no position in PostgreSQL, so that
 * the way in does not need it: the group's offset is committed after the poll, and what a crash repeats has the same ids.
 */
@Configuration(proxyBeanMethods = false)
final class ProducersBinding {

    /** Below {@code max.poll.interval.ms}; after it the poll is repeated. */
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Bean
    Consumer<Message<List<byte[]>>> takeFromProducers(TakeProduced handler) {
        return message -> handler.take(records(message)).block(LIMIT);
    }

    @SuppressWarnings("unchecked")
    private static List<ConsumerRecord<byte[], byte[]>> records(Message<List<byte[]>> message) {
        var records =
                (List<ConsumerRecord<byte[], byte[]>>)
                        message.getHeaders().get(KafkaHeaders.RAW_DATA, List.class);
        if (records == null) {
            throw new IllegalStateException("the binding does not use the starter's converter");
        }
        return records;
    }
}
