package io.mirante.platform.messaging;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Whether Kafka answers. Whoever asks waits at most {@link #PATIENCE}: while an answer is outstanding for less than {@link
 * #LIMIT}, the last one counts. Thread-safe.
 */
final class KafkaHealth implements HealthIndicator {

    static final Duration PATIENCE = Duration.ofMillis(20);
    static final Duration LIMIT = Duration.ofSeconds(2);

    private static final Health UP = Health.up().build();
    private static final Health DOWN =
            Health.down().withDetail("reason", "Kafka does not answer").build();

    private final Supplier<CompletableFuture<?>> question;
    private final LongSupplier nanos;
    private @Nullable Asked asked;
    private volatile Health last = DOWN;

    private record Asked(CompletableFuture<Health> answer, long at) {}

    /**
     * @param question asks Kafka something; fails when it has no answer after {@link #LIMIT}
     * @param nanos a clock as {@link System#nanoTime()}
     */
    KafkaHealth(Supplier<CompletableFuture<?>> question, LongSupplier nanos) {
        this.question = question;
        this.nanos = nanos;
    }

    @Override
    public Health health() {
        var asking = ask();
        try {
            return asking.answer().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return nanos.getAsLong() - asking.at() < LIMIT.toNanos() ? last : DOWN;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return DOWN;
        } catch (java.util.concurrent.ExecutionException e) {
            return DOWN;
        }
    }

    private synchronized Asked ask() {
        var current = asked;
        if (current == null || current.answer().isDone()) {
            current =
                    new Asked(
                            question.get()
                                    .handle((answer, error) -> {
                                        last = error == null ? UP : DOWN;
                                        return last;
                                    }),
                            nanos.getAsLong());
            asked = current;
        }
        return current;
    }
}
