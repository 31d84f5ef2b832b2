package io.mirante.platform.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the delivery core.
 *
 * @param bootstrapServers Kafka, {@code host:port,…}
 * @param acceptRecreatedTopics start anew on topics that were recreated, accepting that what they held is gone
 * @param progressOf storing consumers whose sources this service tells the progress of
 * @param pollTimeout how long the effect of one poll may take; longer than the database's statement timeout
 * @param transactionTimeout after which Kafka aborts what a dead publisher left open
 */
@ConfigurationProperties("mirante.messaging")
public record MessagingSettings(
        String bootstrapServers,
        @DefaultValue("false") boolean acceptRecreatedTopics,
        @DefaultValue Set<String> progressOf,
        @DefaultValue("90s") Duration pollTimeout,
        @DefaultValue("15s") Duration transactionTimeout) {

    /**
     * What every Kafka client of a service is made with; a new map. Clients register no JMX beans, which takes a good part of
     * making one: Micrometer reads their metrics from themselves.
     */
    public Map<String, Object> client() {
        var config = new HashMap<String, Object>();
        config.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        config.put(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, "");
        return config;
    }

    /** What every consumer that reads by itself is made with: bytes, no commits, 15 seconds for calls; a new map. */
    public Map<String, Object> consumer() {
        var config = client();
        config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        config.put(
                ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                Math.toIntExact(Duration.ofSeconds(15).toMillis()));
        return config;
    }
}
