package io.mirante.ingestion.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class EventLogTest {

    private static final Duration LIMIT = Duration.ofSeconds(5);

    @Test
    void answersForEachRecordInOrder() {
        var log = new EventLog(Logs.acknowledging(), Logs.failing("bad", new TimeoutException()));

        var outcomes =
                log.storeAll(List.of(Logs.record("a"), Logs.record("bad"), Logs.record("c")))
                        .block(LIMIT);

        assertThat(outcomes).containsExactly(Outcome.STORED, Outcome.NOT_STORED, Outcome.STORED);
    }

    @Test
    void storesNothingBeforeItIsSubscribedTo() {
        var producer = Logs.acknowledging();
        var log = new EventLog(producer, Logs.acknowledging());

        var store = log.store(Logs.record("a"));

        assertThat(producer.history()).isEmpty();
        assertThat(store.block(LIMIT)).isEqualTo(Outcome.STORED);
        assertThat(producer.history()).hasSize(1);
    }

    @Test
    void tellsWhatIsTooLarge() {
        var log =
                new EventLog(
                        Logs.failing("large", new RecordTooLargeException()), Logs.acknowledging());

        assertThat(log.store(Logs.record("large")).block(LIMIT)).isEqualTo(Outcome.TOO_LARGE);
    }

    @Test
    void blocksItsCallerOnceAndNotForEveryRecordOfABatch() {
        try (var log = Logs.unreachable()) {
            long start = System.nanoTime();

            var outcomes = log.storeAll(Collections.nCopies(5000, Logs.record("a"))).block(LIMIT);

            assertThat(outcomes).hasSize(5000).containsOnly(Outcome.NOT_STORED);
            assertThat(Duration.ofNanos(System.nanoTime() - start))
                    .isLessThan(Duration.ofSeconds(10));
        }
    }
}
