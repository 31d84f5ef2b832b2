package io.mirante.ingestion.intake;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.contracts.gateway.Limits;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class EventLimitsTest {

    private final AtomicLong nanos = new AtomicLong();
    private Limits limits = new Limits(null, 100, null);
    private final EventLimits events =
            new EventLimits(t -> limits, 0, nanos::get, null, new SimpleMeterRegistry());

    private void pass(long millis) {
        nanos.addAndGet(millis * 1_000_000);
    }

    private int take(String tenant, int wanted) {
        return events.take(tenant, wanted).block();
    }

    private boolean takeAll(String tenant, int wanted) {
        return events.takeAll(tenant, wanted).block();
    }

    @Test
    void waysInThatCanWaitLeaveHalfToThoseThatCannot() {
        assertThat(events.takeSpare("a", 70).block()).isEqualTo(50);
        assertThat(events.takeSpare("a", 70).block()).isZero();
        assertThat(take("a", 70)).isEqualTo(50);
        pass(100);
        assertThat(events.takeSpare("a", 70).block()).as("not before half is there").isZero();
        pass(500);
        assertThat(events.takeSpare("a", 70).block()).isEqualTo(10);
        limits = new Limits(null, 1, null);
        pass(1_000);
        assertThat(events.takeSpare("b", 5).block()).as("the smallest limit").isEqualTo(1);
    }

    @Test
    void givesWhatIsThereAndFillsWithTime() {
        assertThat(take("a", 70)).isEqualTo(70);
        assertThat(take("a", 70)).isEqualTo(30);
        assertThat(take("a", 1)).isZero();
        assertThat(take("b", 70)).as("another tenant").isEqualTo(70);
        pass(100);
        assertThat(take("a", 70)).isEqualTo(10);
        pass(60_000);
        assertThat(take("a", 1000)).as("no more than the bucket holds").isEqualTo(100);
    }

    @Test
    void aBurstHoldsMoreAndAChangeIsInForceAtOnce() {
        limits = new Limits(null, 100, 500);
        assertThat(take("a", 1000)).isEqualTo(500);
        limits = new Limits(null, 0, null);
        assertThat(take("a", 1000)).as("0 is no limit").isEqualTo(1000);
        limits = Limits.DEFAULT;
        assertThat(take("a", 1000)).as("the installation has none").isEqualTo(1000);
    }

    @Test
    void allOrNothingLetsALargeRequestThroughAFullBucketAndMakesTheNextWait() {
        assertThat(takeAll("a", 250)).isTrue();
        pass(1_000);
        assertThat(takeAll("a", 1)).isFalse();
        pass(1_000);
        assertThat(takeAll("a", 60)).isFalse();
        assertThat(takeAll("a", 50)).isTrue();
    }
}
