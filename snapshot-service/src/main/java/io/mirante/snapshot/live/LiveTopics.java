package io.mirante.snapshot.live;

import io.mirante.contracts.CloudHeaders;
import io.mirante.platform.messaging.MessagingSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Reads the live topics from their ends, one thread each, without a group: every replica sees every record. Keeps no
 * position: after a restart it begins at the end again. While Kafka does not answer it tries again each second, and then
 * goes on where it was.
 */
@Component
final class LiveTopics implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(LiveTopics.class);

    private final LiveFeed feed;
    private final MessagingSettings settings;
    private final Map<Channel, KafkaConsumer<byte[], byte[]>> open = new ConcurrentHashMap<>();
    private final CountDownLatch positioned = new CountDownLatch(Channel.values().length);
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean running;

    LiveTopics(LiveFeed feed, MessagingSettings settings) {
        this.feed = feed;
        this.settings = settings;
    }

    /** Whether every topic is being read from its end on. */
    boolean isReading() {
        return positioned.getCount() == 0;
    }

    @Override
    public void start() {
        running = true;
        for (var channel : Channel.values()) {
            threads.add(
                    Thread.ofPlatform()
                            .daemon()
                            .name("live-" + channel.wireName())
                            .start(() -> readForever(channel)));
        }
    }

    @Override
    public void stop() {
        running = false;
        open.values().forEach(KafkaConsumer::wakeup);
        threads.forEach(LockSupport::unpark);
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void readForever(Channel channel) {
        Map<TopicPartition, Long> next = new HashMap<>();
        while (running) {
            try (var consumer = new KafkaConsumer<byte[], byte[]>(properties())) {
                open.put(channel, consumer);
                read(channel, consumer, next);
            } catch (WakeupException e) {
                return;
            } catch (RuntimeException e) {
                if (running) {
                    LOG.warn(
                            "{} cannot be read at the moment: {}",
                            channel.topic().name(),
                            e.getMessage());
                    LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
                }
            } finally {
                open.remove(channel);
            }
        }
    }

    private void read(
            Channel channel,
            KafkaConsumer<byte[], byte[]> consumer,
            Map<TopicPartition, Long> next) {
        var partitions =
                IntStream.range(0, channel.topic().partitions())
                        .mapToObj(p -> new TopicPartition(channel.topic().name(), p))
                        .toList();
        consumer.assign(partitions);
        if (next.isEmpty()) {
            next.putAll(consumer.endOffsets(partitions));
            positioned.countDown();
        }
        next.forEach(consumer::seek);
        while (running) {
            for (var record : consumer.poll(Duration.ofMillis(500))) {
                next.put(
                        new TopicPartition(record.topic(), record.partition()),
                        record.offset() + 1);
                publish(channel, record);
            }
        }
    }

    private void publish(Channel channel, ConsumerRecord<byte[], byte[]> record) {
        var tenant = record.headers().lastHeader(CloudHeaders.TENANT);
        if (tenant != null && tenant.value() != null && record.value() != null) {
            feed.publish(
                    new LiveRecord(
                            channel,
                            new String(tenant.value(), StandardCharsets.UTF_8),
                            record.partition(),
                            record.offset(),
                            record.value()));
        }
    }

    private Map<String, Object> properties() {
        var config = settings.consumer();
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 500);
        return config;
    }
}
