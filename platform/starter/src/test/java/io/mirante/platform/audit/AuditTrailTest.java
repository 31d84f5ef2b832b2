package io.mirante.platform.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.platform.messaging.EventSender;
import java.time.Duration;
import java.time.Instant;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class AuditTrailTest {

    private static final Duration SOON = Duration.ofMinutes(2);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    private static AuditEntry entry(int number) {
        return new AuditEntry(
                "audit-" + number,
                "acme",
                Instant.EPOCH,
                AuditEntry.QUERY,
                "key_1",
                "snapshot",
                "GET /api/v1/fans/{id}",
                "/api/v1/fans/1",
                null,
                200,
                "req");
    }

    private MockProducer<byte[], byte[]> producer(boolean acknowledging) {
        return new MockProducer<>(
                acknowledging, null, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private double count(String outcome) {
        return meters.counter("mirante.audit", "outcome", outcome).count();
    }

    @Test
    void sendsWhatIsRecordedAndWhatWaitsWhenItStops() {
        var kafka = producer(true);
        var trail = new AuditTrail(new EventSender(kafka), meters);
        for (int i = 0; i < 3; i++) {
            trail.record(entry(i));
        }
        trail.start();
        trail.record(entry(3));
        trail.stop();
        assertThat(kafka.history()).hasSize(4);
        var record = kafka.history().getFirst();
        assertThat(record.topic()).isEqualTo(Topics.AUDIT.name());
        assertThat(Json.mapper().readValue(record.value(), AuditEntry.class)).isEqualTo(entry(0));
        assertThat(count("sent")).isEqualTo(4);
        assertThat(count("dropped") + count("failed")).isZero();
    }

    @Test
    void neverBlocksAndCountsWhatItDrops() {
        var trail = new AuditTrail(new EventSender(producer(false)), meters);
        for (int i = 0; i < AuditTrail.QUEUE + 7; i++) {
            trail.record(entry(i));
        }
        assertThat(count("dropped")).isEqualTo(7);
    }

    @Test
    void countsWhatKafkaDoesNotTakeAndGoesOn() {
        var kafka = producer(true);
        kafka.sendException = new IllegalStateException("away");
        var trail = new AuditTrail(new EventSender(kafka), meters);
        trail.start();
        trail.record(entry(1));
        await().atMost(SOON).until(() -> count("failed") == 1);
        kafka.sendException = null;
        trail.record(entry(2));
        await().atMost(SOON).until(() -> count("sent") == 1);
        trail.stop();
    }
}
