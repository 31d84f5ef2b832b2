package io.mirante.ingestion.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.gateway.Limits;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class EventLimitsTest {

    private final AtomicLong nanos = new AtomicLong();
    private Limits limits = new Limits(null, 100, null);
    private final EventLimits events = new EventLimits(t -> limits, 0, nanos::get);

    private void pass(long millis) {
        nanos.addAndGet(millis * 1_000_000);
    }

    @Test
    void givesWhatIsThereAndFillsWithTime() {
        assertThat(events.take("a", 70)).isEqualTo(70);
        assertThat(events.take("a", 70)).isEqualTo(30);
        assertThat(events.take("a", 1)).isZero();
        assertThat(events.take("b", 70)).as("another tenant").isEqualTo(70);
        pass(100);
        assertThat(events.take("a", 70)).isEqualTo(10);
        pass(60_000);
        assertThat(events.take("a", 1000)).as("no more than the bucket holds").isEqualTo(100);
    }

    @Test
    void aBurstHoldsMoreAndAChangeIsInForceAtOnce() {
        limits = new Limits(null, 100, 500);
        assertThat(events.take("a", 1000)).isEqualTo(500);
        limits = new Limits(null, 0, null);
        assertThat(events.take("a", 1000)).as("0 is no limit").isEqualTo(1000);
        limits = Limits.DEFAULT;
        assertThat(events.take("a", 1000)).as("the installation has none").isEqualTo(1000);
    }

    @Test
    void allOrNothingLetsALargeRequestThroughAFullBucketAndMakesTheNextWait() {
        assertThat(events.takeAll("a", 250)).isTrue();
        pass(1_000);
        assertThat(events.takeAll("a", 1)).isFalse();
        pass(1_000);
        assertThat(events.takeAll("a", 60)).isFalse();
        assertThat(events.takeAll("a", 50)).isTrue();
    }
}
