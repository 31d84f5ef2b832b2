package io.mirante.ingestion.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.ingestion.log.EventLog;
import io.mirante.platform.messaging.Outgoing;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class PatientIntakeTest {

    /** How often each value was handed over; the first two times of every third it fails. */
    private final Map<String, Integer> sent = new ConcurrentHashMap<>();

    private final MockProducer<byte[], byte[]> fickle =
            new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer()) {
                @Override
                public synchronized Future<RecordMetadata> send(
                        ProducerRecord<byte[], byte[]> record, Callback callback) {
                    var value = new String(record.value(), StandardCharsets.UTF_8);
                    int times = sent.merge(value, 1, Integer::sum);
                    if (Integer.parseInt(value) % 3 == 0 && times <= 2) {
                        return CompletableFuture.runAsync(() ->
                                        callback.onCompletion(
                                                null, new TimeoutException("not now")))
                                .thenApply(done -> null);
                    }
                    return super.send(record, callback);
                }
            };

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    @Test
    void triesOnlyWhatIsNotStoredUntilItIs() {
        var patient =
                new PatientIntake(new Intake(new EventLog(fickle, fickle), meters, "mirante.test"));
        List<Item> items = IntStream.range(0, 30).mapToObj(PatientIntakeTest::item).toList();

        var settled = patient.settleAll(items).block(Duration.ofSeconds(20));

        assertThat(settled).hasSize(30).allMatch(s -> s.status() == Status.ACCEPTED);
        assertThat(fickle.history()).hasSize(30);
        IntStream.range(0, 30)
                .forEach(i ->
                        assertThat(sent.get(Integer.toString(i))).isEqualTo(i % 3 == 0 ? 3 : 1));
        assertThat(meters.counter("mirante.test", "outcome", "accepted").count()).isEqualTo(30);
        assertThat(meters.counter("mirante.test", "outcome", "retry").count()).isEqualTo(20);
    }

    @Test
    void waitsAlsoWhenKafkaTakesNothingAtAll() {
        var patient =
                new PatientIntake(new Intake(new EventLog(fickle, fickle), meters, "mirante.test"));
        assertThat(patient.settleAll(List.of(item(3), item(6))).block(Duration.ofSeconds(20)))
                .allMatch(s -> s.status() == Status.ACCEPTED);
        assertThat(patient.settleAll(List.of()).block(Duration.ofSeconds(1))).isEmpty();
    }

    private static Item item(int i) {
        var value = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
        return new Item.Good(
                new Outgoing("t", null, value, value, Map.of()),
                () -> {
                    throw new AssertionError("not too large");
                });
    }
}
