package io.mirante.ingestion.log;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.platform.messaging.MessagingSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The two producers of the way in. */
@Configuration(proxyBeanMethods = false)
final class LogConfiguration {

    private static final Logger LOG = LoggerFactory.getLogger(LogConfiguration.class);
    private static final List<Topic> WRITTEN =
            List.of(
                    Topics.EVENTS_RAW,
                    Topics.EVENTS_CRITICAL,
                    Topics.EVENTS_REJECTED,
                    Topics.TELEMETRY_RAW);

    @Bean(destroyMethod = "close")
    EventLog eventLog(MessagingSettings messaging, IngestionSettings settings) {
        Producer<byte[], byte[]> single =
                new KafkaProducer<>(single(messaging, settings.acknowledgeWithin()));
        Producer<byte[], byte[]> batch =
                new KafkaProducer<>(batch(messaging, settings.acknowledgeWithin()));
        WRITTEN.forEach(topic -> {
            warmUp(single, topic);
            warmUp(batch, topic);
        });
        return new EventLog(single, batch);
    }

    static Map<String, Object> single(MessagingSettings messaging, Duration acknowledgeWithin) {
        var config = messaging.client();
        config.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        config.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        // Events of the same millisecond, and those that come while a request is on its way, share
        // the
        // next request. Without the wait, or with five on their way, requests hold few events each,
        // and cost Kafka and this service up to twice as much.
        config.put(ProducerConfig.LINGER_MS_CONFIG, 1);
        config.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 100);
        config.put(
                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                Math.toIntExact(acknowledgeWithin.toMillis()));
        config.put(
                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                Math.toIntExact(acknowledgeWithin.toMillis()) - 50);
        config.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 500L);
        config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topic.MAX_RECORD_BYTES);
        // Topics that rest for minutes must not cost the next event a look-up.
        config.put(ProducerConfig.METADATA_MAX_IDLE_CONFIG, Duration.ofDays(7).toMillis());
        return config;
    }

    static Map<String, Object> batch(MessagingSettings messaging, Duration acknowledgeWithin) {
        var config = single(messaging, acknowledgeWithin);
        config.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 5);
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, 262_144);
        config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        config.put(ProducerConfig.BUFFER_MEMORY_CONFIG, 64L * 1024 * 1024);
        return config;
    }

    /** Learns where the topic's partitions are before the first event; without Kafka the service starts all the same. */
    private static void warmUp(Producer<byte[], byte[]> producer, Topic topic) {
        for (int attempt = 1; attempt <= 10; attempt++) {
            try {
                producer.partitionsFor(topic.name());
                return;
            } catch (KafkaException e) {
                LOG.debug("Kafka does not know {} yet: {}", topic.name(), e.getMessage());
            }
        }
        LOG.warn(
                "Kafka does not answer for {}; events for it will be refused for now",
                topic.name());
    }
}
