package io.mirante.ingestion.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.contracts.gateway.Limits;
import io.mirante.platform.limits.SharedBuckets;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import redis.embedded.RedisServer;

/** Two replicas and one real Redis. */
class SharedEventLimitsIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

    /** So slow that no test sees it fill: 1 a second. */
    private Limits limits = new Limits(null, 1, 1_000);

    private int port;
    private RedisServer redis;
    private EventLimits first;
    private EventLimits second;

    @BeforeEach
    void start() throws IOException {
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        startRedis();
        first = replica();
        second = replica();
        await().atMost(SOON).until(() -> shared(first) && shared(second));
    }

    private EventLimits replica() {
        return new EventLimits(
                tenant -> limits,
                0,
                System::nanoTime,
                new SharedBuckets("redis://127.0.0.1:" + port),
                meters);
    }

    private void startRedis() throws IOException {
        redis =
                RedisServer.newRedisServer()
                        .port(port)
                        .bind("127.0.0.1")
                        .setting("save \"\"")
                        .build();
        redis.start();
    }

    @AfterEach
    void stop() throws IOException {
        first.close();
        second.close();
        redis.stop();
    }

    @Test
    void replicasShareATenantsEventsAndEachGoesOnAloneWithoutRedis() throws IOException {
        assertThat(take(first, "a", 700)).isEqualTo(700);
        assertThat(take(second, "a", 700)).isBetween(300, 310);
        assertThat(take(first, "a", 700)).isLessThan(10);
        assertThat(take(first, "b", 700)).as("another tenant").isEqualTo(700);

        redis.stop();
        double before = failures();
        assertThat(take(first, "a", 700)).isEqualTo(700);
        assertThat(take(second, "a", 700)).isEqualTo(700);
        assertThat(failures()).isEqualTo(before + 2);

        startRedis();
        await().atMost(SOON).until(() -> shared(first) && shared(second));
        assertThat(take(first, "c", 700) + take(second, "c", 700)).isBetween(1_000, 1_010);
    }

    @Test
    void allOrNothingAndSpareAreShared() {
        assertThat(first.takeAll("a", 1_500).block(SOON)).as("through a full bucket").isTrue();
        assertThat(second.takeAll("a", 1).block(SOON)).as("which then owes").isFalse();
        assertThat(take(second, "a", 1)).isZero();

        assertThat(first.takeSpare("b", 700).block(SOON)).isEqualTo(500);
        assertThat(second.takeSpare("b", 700).block(SOON)).isLessThan(10);
        assertThat(take(second, "b", 700)).isBetween(490, 500);
    }

    @Test
    void manyAtOnceTakeNoMoreThanThereIs() {
        limits = new Limits(null, 1, 500);
        double before = failures();
        long taken =
                Flux.range(0, 2_000)
                        .flatMap(i -> (i % 2 == 0 ? first : second).take("busy", 1), 200)
                        .reduce(0L, Long::sum)
                        .blockOptional(SOON)
                        .orElseThrow();
        assertThat(failures()).as("all were counted in Redis").isEqualTo(before);
        assertThat(taken).isBetween(500L, 510L);
    }

    /** Until the first connection stands each counts for itself. */
    private boolean shared(EventLimits limits) {
        double before = failures();
        take(limits, "probe", 1);
        return failures() == before;
    }

    private static int take(EventLimits limits, String tenant, int wanted) {
        return Objects.requireNonNull(limits.take(tenant, wanted).block(SOON));
    }

    private double failures() {
        return meters.get("mirante.ingestion.limit.redis.failures").counter().count();
    }
}
