package io.mirante.gateway.limits;

import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.TimeMeter;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.gateway.keys.Principal;
import io.mirante.platform.limits.SharedBuckets;
import io.mirante.platform.tenants.Tenants;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Requests per key and minute. Counted in Redis when there is one; while it does not answer, each gateway counts for itself
 * and {@code mirante_gateway_limit_redis_failures_total} goes up: nobody is refused because of it. Thread-safe.
 *
 * <p>Wrong keys cost their sender: each counts against its address. An address that has used up its minute gets no more look-ups
 * of keys this gateway does not know; keys that it knows are not affected, from whatever address.
 */
@Component
public final class RequestLimits implements DisposableBean {

    private final LimitSettings settings;
    private final Function<String, Optional<Integer>> ofTenant;
    private final LocalBuckets local = new LocalBuckets(TimeMeter.SYSTEM_NANOTIME);
    private final @Nullable SharedBuckets shared;
    private final Counter redisFailures;
    private final Counter refused;

    @Autowired
    RequestLimits(LimitSettings settings, Tenants tenants, MeterRegistry meters) {
        this(
                settings,
                tenant ->
                        Optional.ofNullable(tenants.settings(tenant).limits().requestsPerMinute()),
                meters);
    }

    /**
     * With tenants' own limits.
     *
     * @param ofTenant requests a minute of each of its keys, 0 = no limit; empty = what the settings say
     */
    RequestLimits(
            LimitSettings settings,
            Function<String, Optional<Integer>> ofTenant,
            MeterRegistry meters) {
        this.settings = settings;
        this.ofTenant = ofTenant;
        var url = settings.redisUrl();
        this.shared = url == null ? null : new SharedBuckets(url);
        this.redisFailures =
                Counter.builder("mirante.gateway.limit.redis.failures")
                        .description("Requests counted locally because Redis did not answer")
                        .register(meters);
        this.refused =
                Counter.builder("mirante.gateway.limit.refused")
                        .description("Requests answered 429")
                        .register(meters);
    }

    /** Counts a request by the key's limit, else its tenant's, else the settings'; empty when there is none. */
    public Mono<Verdict> take(Principal who) {
        var own = who.rateLimit();
        long perMinute =
                own == null
                        ? ofTenant.apply(who.tenant()).orElse(settings.requestsPerMinute())
                        : own;
        if (perMinute == 0) {
            return Mono.empty();
        }
        var name = who.tenant() + "/" + who.keyId();
        var redis = shared;
        var verdict =
                redis == null
                        ? Mono.just(local.take(name, perMinute))
                        : redis.ask(
                                        name + ":" + perMinute,
                                        size(perMinute),
                                        bucket -> bucket.tryConsumeAndReturnRemaining(1))
                                .map(probe -> Verdict.of(probe, perMinute))
                                .onErrorResume(e -> {
                                    redisFailures.increment();
                                    return Mono.just(local.take(name, perMinute));
                                });
        return verdict.doOnNext(this::count);
    }

    private static BucketConfiguration size(long perMinute) {
        return BucketConfiguration.builder()
                .addLimit(limit ->
                        limit.capacity(perMinute).refillGreedy(perMinute, Duration.ofMinutes(1)))
                .build();
    }

    /** What an address may still try with unknown keys; does not count. */
    public Verdict unknownKeysOf(@Nullable InetSocketAddress client) {
        return local.look(name(client), settings.requestsPerMinute());
    }

    /** Counts a wrong key of an address. */
    public void wrongKeyOf(@Nullable InetSocketAddress client) {
        var unused = local.take(name(client), settings.requestsPerMinute());
    }

    /** Counts an answer 429. */
    public void count(Verdict verdict) {
        if (!verdict.passes()) {
            refused.increment();
        }
    }

    /** An address, of IPv6 the /64: whoever has one has them all. */
    private static String name(@Nullable InetSocketAddress client) {
        InetAddress address = client == null ? null : client.getAddress();
        if (address == null) {
            return "address/unknown";
        }
        var bytes = address.getAddress();
        return "address/"
                + HexFormat.of()
                        .formatHex(
                                address instanceof Inet6Address ? Arrays.copyOf(bytes, 8) : bytes);
    }

    @Override
    public void destroy() {
        if (shared != null) {
            shared.close();
        }
    }
}
