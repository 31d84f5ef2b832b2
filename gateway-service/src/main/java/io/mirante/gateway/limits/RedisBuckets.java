package io.mirante.gateway.limits;

import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.AsyncProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Buckets that replicas share. Connects in the background and again by itself; until then, and when Redis does not answer in
 * time, a take is an error at once. Thread-safe.
 */
final class RedisBuckets implements Buckets, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RedisBuckets.class);
    private static final Duration PATIENCE = Duration.ofMillis(100);
    private static final String PREFIX = "mirante:limit:";

    private final RedisClient client;
    private final RedisURI uri;
    private volatile @Nullable AsyncProxyManager<byte[]> buckets;
    private volatile @Nullable CompletableFuture<?> connecting;
    private volatile long connectAgainAtNanos = System.nanoTime();

    RedisBuckets(String url) {
        uri = RedisURI.create(url);
        uri.setTimeout(PATIENCE);
        client = RedisClient.create();
        client.setOptions(
                ClientOptions.builder()
                        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                        .build());
        connect();
    }

    @Override
    public Mono<Verdict> take(String name, long perMinute) {
        var connected = buckets;
        if (connected == null) {
            connect();
            return Mono.error(new IllegalStateException("not connected to Redis"));
        }
        var key = (PREFIX + name + ":" + perMinute).getBytes(StandardCharsets.UTF_8);
        return Mono.fromFuture(() ->
                        connected
                                .builder()
                                .build(
                                        key,
                                        () ->
                                                CompletableFuture.completedFuture(
                                                        Buckets.of(perMinute)))
                                .tryConsumeAndReturnRemaining(1))
                .timeout(PATIENCE)
                .map(probe -> Verdict.of(probe, perMinute));
    }

    /** The first connection; lettuce keeps it up from then on. */
    private synchronized void connect() {
        if (connecting != null || System.nanoTime() - connectAgainAtNanos < 0) {
            return;
        }
        connecting =
                client.connectAsync(ByteArrayCodec.INSTANCE, uri)
                        .toCompletableFuture()
                        .handle((connection, error) -> {
                            connected(connection, error);
                            return null;
                        });
    }

    private synchronized void connected(
            @Nullable StatefulRedisConnection<byte[], byte[]> connection,
            @Nullable Throwable error) {
        connecting = null;
        if (connection == null) {
            connectAgainAtNanos = System.nanoTime() + Duration.ofSeconds(1).toNanos();
            LOG.warn("Redis (REDIS_URL) cannot be reached: {}", String.valueOf(error));
            return;
        }
        buckets =
                Bucket4jLettuce.casBasedBuilder(connection)
                        .expirationAfterWrite(
                                ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(
                                        Duration.ofSeconds(10)))
                        .build()
                        .asAsync();
    }

    @Override
    public void close() {
        client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
}
