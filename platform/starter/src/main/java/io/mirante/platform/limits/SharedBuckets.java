package io.mirante.platform.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.AsyncBucketProxy;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.AsyncProxyManager;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Token buckets in Redis, for replicas that count together. Connects in the background and again by itself. Until then every
 * question is an error at once; when Redis hangs, one after 100 ms and those of the next second at once. Questions about one
 * bucket that come while another is under way travel together. Thread-safe.
 */
public final class SharedBuckets implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SharedBuckets.class);
    private static final Duration PATIENCE = Duration.ofMillis(100);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final String PREFIX = "mirante:limit:";
    private static final int MOST = 100_000;

    private final RedisClient client;
    private final RedisURI uri;
    private final Cache<String, AsyncBucketProxy> known =
            Caffeine.newBuilder()
                    .maximumSize(MOST)
                    .expireAfterAccess(Duration.ofMinutes(2))
                    .build();
    private volatile @Nullable AsyncProxyManager<byte[]> buckets;
    private volatile @Nullable CompletableFuture<?> connecting;
    private volatile long connectAgainAtNanos = System.nanoTime();
    private volatile long askAgainAtNanos = System.nanoTime();

    /**
     * Begins to connect.
     *
     * @param url as of {@link #url}
     */
    public SharedBuckets(String url) {
        uri = RedisURI.create(url);
        uri.setTimeout(PATIENCE);
        client = RedisClient.create();
        client.setOptions(
                ClientOptions.builder()
                        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                        .timeoutOptions(TimeoutOptions.enabled(PATIENCE))
                        .build());
        connect();
    }

    /** The setting {@code REDIS_URL}, {@code redis://} or {@code rediss://}; null when it is null or blank. */
    public static @Nullable String url(@Nullable String given) {
        if (given == null || given.isBlank()) {
            return null;
        }
        var url = given.strip();
        if (!Set.of("redis", "rediss").contains(String.valueOf(URI.create(url).getScheme()))) {
            throw new IllegalArgumentException("REDIS_URL must begin with redis:// or rediss://");
        }
        return url;
    }

    /**
     * Asks a bucket something; answers on a thread of its own, not on Redis' one.
     *
     * @param name of the bucket, with all that its size depends on: a bucket keeps the size it was made with
     * @return the answer, or an error when Redis did not give it in time
     */
    public <T> Mono<T> ask(
            String name,
            BucketConfiguration size,
            Function<AsyncBucketProxy, CompletableFuture<T>> question) {
        var connected = buckets;
        if (connected == null) {
            connect();
            return Mono.error(new IllegalStateException("not connected to Redis"));
        }
        if (System.nanoTime() - askAgainAtNanos < 0) {
            return Mono.error(new IllegalStateException("Redis did not answer a moment ago"));
        }
        var bucket =
                known.get(
                        name,
                        n ->
                                connected
                                        .builder()
                                        .withOptimization(Optimizations.batching())
                                        .build(
                                                (PREFIX + n).getBytes(StandardCharsets.UTF_8),
                                                () -> CompletableFuture.completedFuture(size)));
        return Mono.fromFuture(() -> question.apply(bucket), true)
                .timeout(PATIENCE)
                .doOnError(e -> askAgainAtNanos = System.nanoTime() + PAUSE.toNanos())
                .publishOn(Schedulers.parallel());
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
            connectAgainAtNanos = System.nanoTime() + PAUSE.toNanos();
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
