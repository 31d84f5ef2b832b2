package io.mirante.ingestion.log;

import io.mirante.platform.messaging.MessagingSettings;
import io.mirante.platform.messaging.Outgoing;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Logs for tests without a broker. */
public final class Logs {

    private Logs() {}

    /** Acknowledges at once. */
    public static MockProducer<byte[], byte[]> acknowledging() {
        return new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Fails records whose value holds a text, as a broker would, and acknowledges the others. */
    public static MockProducer<byte[], byte[]> failing(String text, RuntimeException error) {
        return new MockProducer<>(
                true, null, new ByteArraySerializer(), new ByteArraySerializer()) {
            @Override
            public synchronized java.util.concurrent.Future<
                            org.apache.kafka.clients.producer.RecordMetadata>
                    send(
                            ProducerRecord<byte[], byte[]> record,
                            org.apache.kafka.clients.producer.Callback callback) {
                if (!new String(record.value(), StandardCharsets.UTF_8).contains(text)) {
                    return super.send(record, callback);
                }
                var failure = Thread.ofPlatform().start(() -> callback.onCompletion(null, error));
                return java.util.concurrent.CompletableFuture.runAsync(() -> join(failure))
                        .thenApply(done -> null);
            }
        };
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Real producers, as the service has them, at a port where nobody listens. */
    public static EventLog unreachable() {
        return at("127.0.0.1:1");
    }

    /** Real producers, as the service has them. */
    public static EventLog at(String servers) {
        var within = Duration.ofMillis(800);
        var messaging =
                new MessagingSettings(
                        servers, false, Set.of(), Duration.ofSeconds(90), Duration.ofSeconds(15));
        return new EventLog(
                new KafkaProducer<>(LogConfiguration.single(messaging, within)),
                new KafkaProducer<>(LogConfiguration.batch(messaging, within)));
    }

    static Outgoing record(String value) {
        return new Outgoing(
                "t", null, new byte[] {1}, value.getBytes(StandardCharsets.UTF_8), Map.of());
    }
}
