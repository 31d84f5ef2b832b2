package io.mirante.platform.tenants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.TenantSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.internals.AutoOffsetResetStrategy;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TenantsTest {

    private static final String TOPIC = Topics.TENANTS.name();
    private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
    private static final Duration SOON = Duration.ofMinutes(2);

    private final MockConsumer<byte[], byte[]> kafka =
            new MockConsumer<>(AutoOffsetResetStrategy.EARLIEST.name());
    private final AtomicInteger away = new AtomicInteger();
    private final Tenants tenants =
            new Tenants(() -> {
                if (away.getAndDecrement() > 0) {
                    throw new IllegalStateException("Kafka is away");
                }
                return kafka;
            });
    private long offset;

    @AfterEach
    void stop() {
        tenants.close();
    }

    private void topicEndsAt(long end) {
        var node = new Node(1, "127.0.0.1", 1);
        kafka.updatePartitions(
                TOPIC, List.of(new PartitionInfo(TOPIC, 0, node, new Node[] {node}, new Node[0])));
        kafka.updateBeginningOffsets(Map.of(PARTITION, 0L));
        kafka.updateEndOffsets(Map.of(PARTITION, end));
    }

    private static byte[] json(String tenant, String patch, long revision) {
        return Json.mapper()
                .writeValueAsBytes(
                        TenantSettings.defaults(tenant)
                                .patched(Json.mapper().readTree(patch), revision));
    }

    private ConsumerRecord<byte[], byte[]> record(String tenant, byte @Nullable [] value) {
        return new ConsumerRecord<>(
                TOPIC, 0, offset++, tenant.getBytes(StandardCharsets.UTF_8), value);
    }

    @Test
    void isCaughtUpOnlyAfterTheEndAsItWasAtTheStart() {
        topicEndsAt(2);
        tenants.read();
        await().atMost(SOON).until(() -> !kafka.assignment().isEmpty());
        assertThat(tenants.awaitCaughtUp(Duration.ofMillis(50))).isFalse();

        kafka.addRecord(record("a", json("a", "{\"currency\": \"BRL\"}", 1)));
        await().atMost(SOON).until(() -> tenants.knows("a"));
        assertThat(tenants.caughtUp()).isFalse();
        kafka.addRecord(record("b", json("b", "{}", 1)));
        assertThat(tenants.awaitCaughtUp(SOON)).isTrue();
        assertThat(tenants.settings("a").currency()).isEqualTo("BRL");
        assertThat(tenants.all()).hasSize(2);

        kafka.addRecord(record("a", json("a", "{\"currency\": \"EUR\"}", 2)));
        await().atMost(SOON).until(() -> tenants.settings("a").currency().equals("EUR"));
    }

    @Test
    void anEmptyTopicIsReadAtOnceAndAnUnknownTenantHasDefaults() {
        topicEndsAt(0);
        tenants.start();
        assertThat(tenants.caughtUp()).isTrue();
        assertThat(tenants.knows("x")).isFalse();
        assertThat(tenants.settings("x")).isEqualTo(TenantSettings.defaults("x"));
        assertThat(tenants.settings("x")).isSameAs(tenants.settings("x"));
    }

    @Test
    void goesOnTryingWhileKafkaIsAway() {
        away.set(1);
        topicEndsAt(0);
        tenants.read();
        assertThat(tenants.awaitCaughtUp(SOON)).isTrue();
    }

    @Test
    void whoWaitsIsLetGoWhenTheViewIsThere() {
        var waiting = CompletableFuture.supplyAsync(() -> tenants.awaitCaughtUp(SOON));
        topicEndsAt(0);
        tenants.read();
        assertThat(waiting.join()).isTrue();
    }

    @Test
    void keepsTheHighestRevisionSkipsWhatItCannotReadAndForgetsTombstones() {
        tenants.learn(record("a", json("a", "{\"name\": \"two\"}", 2)));
        tenants.learn(record("a", json("a", "{\"name\": \"one\"}", 1)));
        tenants.learn(record("a", "{not json".getBytes(StandardCharsets.UTF_8)));
        tenants.learn(
                record(
                        "a",
                        "{\"id\": \"a\", \"timezone\": \"Nowhere\", \"revision\": 3}"
                                .getBytes(StandardCharsets.UTF_8)));
        assertThat(tenants.settings("a").name()).isEqualTo("two");
        tenants.learn(
                record(
                        "a",
                        "{\"id\": \"a\", \"revision\": 4, \"of_a_newer_version\": 1}"
                                .getBytes(StandardCharsets.UTF_8)));
        assertThat(tenants.settings("a").revision()).isEqualTo(4);
        tenants.learn(record("a", null));
        assertThat(tenants.knows("a")).isFalse();
        assertThat(tenants.settings("a").revision()).isZero();
    }
}
