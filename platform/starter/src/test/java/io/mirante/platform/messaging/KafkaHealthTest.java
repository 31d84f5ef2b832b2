package io.mirante.platform.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class KafkaHealthTest {

    private final AtomicLong now = new AtomicLong();
    private final List<CompletableFuture<String>> questions = new ArrayList<>();
    private final KafkaHealth health =
            new KafkaHealth(
                    () -> {
                        questions.add(new CompletableFuture<>());
                        return questions.getLast();
                    },
                    now::get);

    @Test
    void nobodyWaitsForAKafkaThatStandsStillAndItIsDownOnceItsTimeIsOver() {
        assertThat(status()).as("nothing is known yet").isEqualTo("DOWN");
        questions.getLast().complete("cluster");
        // The next question is outstanding for less than its limit: the last answer counts.
        assertThat(status()).isEqualTo("UP");
        assertThat(status()).isEqualTo("UP");
        assertThat(questions).as("one question at a time").hasSize(2);
        now.addAndGet(KafkaHealth.LIMIT.toNanos());
        assertThat(status()).isEqualTo("DOWN");
        questions.getLast().completeExceptionally(new IllegalStateException("timeout"));
        assertThat(status()).isEqualTo("DOWN");
        questions.getLast().complete("cluster");
        assertThat(status()).isEqualTo("UP");
    }

    private String status() {
        long start = System.nanoTime();
        var status = health.health().getStatus().getCode();
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isLessThan(KafkaHealth.PATIENCE.plusMillis(500));
        return status;
    }
}
