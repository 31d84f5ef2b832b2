package io.mirante.ingestion.producers;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.EventValidator;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.PatientIntake;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Rejections;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Takes a poll of outside producers' records: each becomes an event or a rejection, and the poll is done when Kafka has
 * stored all of them, so an offset is committed only after what it stands for. Received = accepted + rejected; {@code
 * retry} counts what was tried again. Thread-safe.
 */
@Component
final class TakeProduced {

    static final String SOURCE = "/kafka";

    /** At most as many at once as a batch over HTTP may hold. */
    private static final int AT_ONCE = 1_000;

    private final EventItems items;
    private final Rejections rejections;
    private final PatientIntake intake;
    private final ProducersPause pause;
    private final IngestionSettings settings;
    private final Clock clock;

    TakeProduced(
            EventItems items,
            Rejections rejections,
            EventLog log,
            ProducersPause pause,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.items = items;
        this.rejections = rejections;
        this.intake = new PatientIntake(new Intake(log, meters, "mirante.ingestion.produced"));
        this.pause = pause;
        this.settings = settings;
        this.clock = clock;
    }

    /**
     * Completes when Kafka has stored all. While it does not take a record, that record alone is tried again, five times a
     * second, without end: the caller sets the limit.
     */
    Mono<Void> take(List<ConsumerRecord<byte[], byte[]>> records) {
        var rules =
                new EventValidator.Rules(
                        false,
                        false,
                        settings.maxEventBytes(),
                        clock.instant(),
                        SOURCE,
                        settings.clockTolerance());
        var all = new ArrayList<Item>(records.size());
        for (var record : records) {
            all.add(new ProducedRecord(record).check(items, rejections, rules));
        }
        return settle(all, 0).then(Mono.defer(() -> pause.pay(records)));
    }

    private Mono<Void> settle(List<Item> all, int from) {
        if (from >= all.size()) {
            return Mono.empty();
        }
        int to = Math.min(all.size(), from + AT_ONCE);
        return intake.settleAll(List.copyOf(all.subList(from, to)))
                .then(Mono.defer(() -> settle(all, to)));
    }
}
