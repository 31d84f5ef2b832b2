package io.mirante.snapshot.live;

import org.junit.jupiter.api.Test;
import reactor.test.StepVerifier;

class OutboxTest {

    @Test
    void tellsASlowReaderHowManyItMissedWhereTheyAreMissing() {
        var outbox = new Outbox(2);
        StepVerifier.create(outbox.frames(), 0)
                .then(() -> offer(outbox, 1, 5))
                .thenRequest(3)
                .expectNext("1", "2", "{\"type\":\"Dropped\",\"count\":3}")
                .then(() -> offer(outbox, 6, 6))
                .thenRequest(1)
                .expectNext("6")
                .thenCancel()
                .verify();
    }

    @Test
    void passesEverythingToAReaderThatKeepsUp() {
        var outbox = new Outbox(2);
        StepVerifier.create(outbox.frames())
                .then(() -> offer(outbox, 1, 4))
                .expectNext("1", "2", "3", "4")
                .thenCancel()
                .verify();
    }

    private static void offer(Outbox outbox, int from, int to) {
        for (int i = from; i <= to; i++) {
            outbox.offer(Integer.toString(i));
        }
    }
}
