package io.mirante.platform.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PeriodicTest {

    private static final Duration SHORT = Duration.ofMillis(1);
    private static final long LIMIT_SECONDS = 20;

    @Test
    void aTurnThatFailsIsNotTheLast() throws InterruptedException {
        var turns = new CountDownLatch(3);
        var component =
                new Periodic("test", Duration.ZERO, SHORT) {
                    @Override
                    protected void turn() {
                        turns.countDown();
                        throw new IllegalStateException("on purpose");
                    }
                };
        component.start();
        try {
            assertThat(turns.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(component.isRunning()).isTrue();
        } finally {
            component.stop();
        }
        assertThat(component.isRunning()).isFalse();
    }

    @Test
    void stoppingInterruptsATurnAndTheComponentCanStartAgain() throws InterruptedException {
        var begun = new AtomicInteger();
        var first = new CountDownLatch(1);
        var interrupted = new CountDownLatch(1);
        var again = new CountDownLatch(1);
        var component =
                new Periodic("test", Duration.ZERO, SHORT) {
                    @Override
                    protected void turn() {
                        if (begun.incrementAndGet() > 1) {
                            again.countDown();
                            return;
                        }
                        first.countDown();
                        try {
                            new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                            interrupted.countDown();
                        }
                    }
                };
        component.start();
        assertThat(first.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        component.stop();
        assertThat(interrupted.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        component.start();
        assertThat(again.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        component.stop();
    }
}
