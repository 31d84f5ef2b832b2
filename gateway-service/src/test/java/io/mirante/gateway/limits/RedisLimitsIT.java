package io.mirante.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.gateway.keys.Principal;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.embedded.RedisServer;

/** Two gateways and one real Redis. */
class RedisLimitsIT {

    private static final Principal WHO =
            new Principal("demo", "key_1", List.of("ingest"), List.of(), 50);

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private int port;
    private RedisServer redis;
    private RequestLimits first;
    private RequestLimits second;

    @BeforeEach
    void start() throws IOException {
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        startRedis();
        var settings = new LimitSettings(1000, "redis://127.0.0.1:" + port);
        first = new RequestLimits(settings, tenant -> Optional.empty(), meters);
        second = new RequestLimits(settings, tenant -> Optional.empty(), meters);
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
        first.destroy();
        second.destroy();
        redis.stop();
    }

    @Test
    void replicasShareALimitAndGoOnAloneWithoutRedis() throws IOException {
        // Until the first connection stands each counts for itself.
        await().atMost(Duration.ofMinutes(2)).until(() -> counted(first) && counted(second));
        int passed = 0;
        for (int i = 0; i < 60; i++) {
            passed += take(i % 2 == 0 ? first : second).passes() ? 1 : 0;
        }
        assertThat(passed).isBetween(40, 52);

        redis.stop();
        double before = failures();
        assertThat(take(first).passes()).isTrue();
        assertThat(take(second).passes()).isTrue();
        assertThat(failures()).isEqualTo(before + 2);
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            take(first);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));

        startRedis();
        await().atMost(Duration.ofMinutes(2)).until(() -> counted(first));
    }

    @Test
    void aKeysOwnLimitComesBeforeItsTenantsAndThatBeforeTheSettings() {
        var settings = new LimitSettings(1000, null);
        var limits =
                new RequestLimits(
                        settings,
                        tenant -> tenant.equals("calm") ? Optional.of(7) : Optional.empty(),
                        meters);
        assertThat(limitOf(limits, "calm", null)).isEqualTo(7);
        assertThat(limitOf(limits, "calm", 3)).isEqualTo(3);
        assertThat(limitOf(limits, "other", null)).isEqualTo(1000);
        assertThat(limits.take(new Principal("calm", "k", List.of(), List.of(), 0)).block())
                .isNull();
        limits.destroy();
    }

    private static long limitOf(RequestLimits limits, String tenant, Integer own) {
        return limits.take(new Principal(tenant, "k", List.of(), List.of(), own)).block().limit();
    }

    private boolean counted(RequestLimits limits) {
        double before = failures();
        take(limits);
        return failures() == before;
    }

    private static Verdict take(RequestLimits limits) {
        return limits.take(WHO).block(Duration.ofSeconds(5));
    }

    private double failures() {
        return meters.get("mirante.gateway.limit.redis.failures").counter().count();
    }
}
