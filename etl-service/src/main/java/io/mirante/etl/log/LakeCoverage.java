package io.mirante.etl.log;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.snapshot.LakeCovered;
import io.mirante.platform.messaging.CompactedTopic;
import io.mirante.platform.messaging.MessagingSettings;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import tools.jackson.core.JacksonException;

/** How far the lake holds each tenant's events, from {@code mirante.lake}: what it said last, as far as it was read. Thread-safe. */
@Component
final class LakeCoverage implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(LakeCoverage.class);

    private final CompactedTopic topic;
    private final Map<String, Instant> known = new ConcurrentHashMap<>();
    private volatile boolean running;

    LakeCoverage(MessagingSettings settings) {
        this.topic = new CompactedTopic(Topics.LAKE.name(), () -> consumer(settings), this::learn);
    }

    /** Every event of the tenant's that was accepted before is in the lake; empty when nothing was said of it. */
    Optional<Instant> of(String tenant) {
        return Optional.ofNullable(known.get(tenant));
    }

    private void learn(ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            return;
        }
        try {
            var covered = Json.mapper().readValue(record.value(), LakeCovered.class);
            known.put(covered.tenantId(), covered.coveredUntil());
        } catch (JacksonException e) {
            LOG.warn(
                    "a record of {} at offset {} is unreadable: {}",
                    record.topic(),
                    record.offset(),
                    e.getOriginalMessage());
        }
    }

    private static Consumer<byte[], byte[]> consumer(MessagingSettings settings) {
        var config = settings.consumer();
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        return new KafkaConsumer<>(config);
    }

    @Override
    public void start() {
        topic.read();
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        topic.close();
    }

    @Override
    public boolean isRunning() {
        return running;
    }
}
