package io.mirante.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KafkaServerTest {
    private static final TopicPartition KEPT = new TopicPartition("kept", 0);

    @TempDir Path folder;

    @AfterEach
    void stopWhatRuns() {
        KafkaServer.find(settings()).ifPresent(KafkaServer::kill);
    }

    @Test
    void keepsItsDataAcrossKillAndStop() throws ExecutionException, InterruptedException {
        KafkaServer first = KafkaServer.start(settings());
        try (Admin admin = Admin.create(client(first))) {
            admin.createTopics(List.of(new NewTopic("kept", 1, (short) 1))).all().get();
        }
        send(first, "one");

        first.kill();
        assertThat(first.isAlive()).isFalse();
        KafkaServer second = KafkaServer.start(settings());
        send(second, "two");

        assertThat(KafkaServer.start(settings()).process()).isEqualTo(second.process());

        second.stop();
        assertThat(second.isAlive()).isFalse();
        assertThat(read(KafkaServer.start(settings()), 2)).containsExactly("one", "two");
    }

    @Test
    void stopsWhenTheJvmThatStartedItIsKilled() throws IOException, InterruptedException {
        Process parent = Parent.start("kafka", folder);
        try {
            await().atMost(Duration.ofMinutes(2))
                    .until(() -> Files.exists(folder.resolve("started")));
            KafkaServer server = KafkaServer.find(settings()).orElseThrow();
            parent.destroyForcibly().waitFor();
            await().atMost(Duration.ofMinutes(2)).until(() -> !server.isAlive());
        } finally {
            parent.destroyForcibly();
        }
    }

    private KafkaServer.Settings settings() {
        return KafkaServer.Settings.in(folder.resolve("kafka")).forTests();
    }

    private static Map<String, Object> client(KafkaServer server) {
        return Map.of("bootstrap.servers", server.bootstrapServers());
    }

    private static void send(KafkaServer server, String value)
            throws ExecutionException, InterruptedException {
        try (var producer =
                new KafkaProducer<>(
                        client(server), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(KEPT.topic(), value.getBytes(UTF_8))).get();
        }
    }

    private static List<String> read(KafkaServer server, int count) {
        try (var consumer =
                new KafkaConsumer<>(
                        client(server), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(KEPT));
            consumer.seekToBeginning(List.of(KEPT));
            var values = new ArrayList<String>();
            await().atMost(Duration.ofMinutes(2))
                    .until(() -> {
                        consumer.poll(Duration.ofMillis(100))
                                .forEach(record -> values.add(new String(record.value(), UTF_8)));
                        return values.size() >= count;
                    });
            return values;
        }
    }
}
