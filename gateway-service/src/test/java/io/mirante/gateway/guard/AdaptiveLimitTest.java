package io.mirante.gateway.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import org.junit.jupiter.api.Test;

/** Against a simulated service that answers one call after the other; the clock is the simulation's. */
class AdaptiveLimitTest {

    private static final Duration TARGET = Duration.ofMillis(250);
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    @Test
    void aBurstAfterSilenceIsTaken() {
        var limit = new AdaptiveLimit(500, TARGET);
        for (int i = 1; i <= 500; i++) {
            assertThat(limit.enter()).isEqualTo(i);
        }
        assertThat(limit.enter()).isZero();
        limit.leave(500, 0, 1);
        assertThat(limit.enter()).isEqualTo(500);
    }

    @Test
    void whatComesTooMuchIsRefusedAndTheRestIsAnsweredInTime() {
        var limit = new AdaptiveLimit(500, TARGET);
        var service = new Service(limit, 100);
        service.offer(400, 5 * SECOND);
        int begun = service.inTime;
        service.offer(400, 20 * SECOND);
        // 2,000 can be answered in the time; without a limit all wait for 5 s.
        assertThat(service.inTime - begun).isGreaterThan(1_900);
        assertThat(limit.limit()).isBetween(AdaptiveLimit.MIN, 60);
    }

    @Test
    void aServiceThatIsQuickAgainGetsItsPlacesBack() {
        var limit = new AdaptiveLimit(500, TARGET);
        new Service(limit, 20).offer(400, 20 * SECOND);
        assertThat(limit.limit()).isLessThan(16);
        var quick = new Service(limit, 2_000);
        quick.offer(4_000, 5 * SECOND);
        assertThat(limit.limit()).isGreaterThan(300);
    }

    @Test
    void itNeverFallsBelowItsLeast() {
        var limit = new AdaptiveLimit(500, TARGET);
        new Service(limit, 1).offer(100, 60 * SECOND);
        assertThat(limit.limit()).isEqualTo(AdaptiveLimit.MIN);
        var small = new AdaptiveLimit(2, TARGET);
        new Service(small, 1).offer(100, 60 * SECOND);
        assertThat(small.limit()).isEqualTo(2);
    }

    @Test
    void aFewCallsInFlightDoNotRaiseIt() {
        var limit = new AdaptiveLimit(500, TARGET);
        new Service(limit, 20).offer(400, 20 * SECOND);
        int low = limit.limit();
        new Service(limit, 1_000).offer(100, 20 * SECOND);
        assertThat(limit.limit()).isEqualTo(low);
    }

    /** One call after the other, each the same time. */
    private static final class Service {
        private record Waiting(int place, long since) {}

        private final AdaptiveLimit limit;
        private final long each;
        private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
        private long free;
        int inTime;

        Service(AdaptiveLimit limit, int perSecond) {
            this.limit = limit;
            this.each = SECOND / perSecond;
        }

        void offer(int perSecond, long nanos) {
            long end = free + nanos;
            for (long now = free; now < end; now += SECOND / perSecond) {
                answer(now);
                int place = limit.enter();
                if (place > 0) {
                    if (queue.isEmpty()) {
                        free = Math.max(free, now);
                    }
                    queue.add(new Waiting(place, now));
                }
            }
            answer(Long.MAX_VALUE);
        }

        private void answer(long until) {
            while (!queue.isEmpty() && free + each <= until) {
                free += each;
                var done = queue.remove();
                limit.leave(done.place(), free, free - done.since());
                if (free - done.since() <= SECOND) {
                    inTime++;
                }
            }
        }
    }
}
