package io.mirante.gateway.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Keys as they were in the database at most three seconds ago, unknown ones too, so that a revoked one is refused within
 * five wherever it was revoked; at once where {@link #forget} was called. A key in use is looked up again after a second,
 * beside the call that asks for it, so that calls do not wait for the database every three seconds. While the database is
 * away, what was known goes on for a quarter of an hour: a restart of PostgreSQL does not close the door. Concurrent
 * look-ups of one key share one query. Thread-safe.
 */
final class KeyRing {

    static final Duration RENEWED = Duration.ofSeconds(1);
    static final Duration FRESH = Duration.ofSeconds(3);
    static final Duration STALE = Duration.ofMinutes(15);

    private static final Logger LOG = LoggerFactory.getLogger(KeyRing.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int MAX_KEYS = 20_000;

    private final Function<String, Mono<Principal>> source;
    private final Clock clock;
    private final Cache<String, Known> known =
            Caffeine.newBuilder().maximumSize(MAX_KEYS).expireAfterWrite(STALE).build();
    private final ConcurrentMap<String, Mono<Optional<Principal>>> running =
            new ConcurrentHashMap<>();
    private final AtomicLong forgotten = new AtomicLong();

    KeyRing(Function<String, Mono<Principal>> source, Clock clock) {
        this.source = source;
        this.clock = clock;
    }

    /** A key's last known state: when it was last asked for, and when the database last confirmed it. */
    private record Known(Optional<Principal> principal, Instant checkedAt, Instant confirmedAt) {}

    /** Whom the key stands for; empty when nobody; an error when that cannot be known now. */
    Mono<Principal> find(String hash) {
        var before = known.getIfPresent(hash);
        if (before == null || isOlder(before, FRESH)) {
            return lookUp(hash).flatMap(Mono::justOrEmpty);
        }
        if (isOlder(before, RENEWED) && !running.containsKey(hash)) {
            var unused = lookUp(hash).toFuture().exceptionally(KeyRing::unknown);
        }
        return Mono.justOrEmpty(before.principal());
    }

    private static Optional<Principal> unknown(Throwable error) {
        LOG.warn("a key cannot be checked: {}", error.getMessage());
        return Optional.empty();
    }

    private boolean isOlder(Known key, Duration age) {
        return !clock.instant().isBefore(key.checkedAt().plus(age));
    }

    private Mono<Optional<Principal>> lookUp(String hash) {
        return running.computeIfAbsent(hash, this::load);
    }

    /** The next call asks the database about this key or person again. */
    void forget(String keyId) {
        // What is being looked up may be from before.
        forgotten.incrementAndGet();
        running.clear();
        known.asMap()
                .values()
                .removeIf(k -> k.principal().filter(p -> p.keyId().equals(keyId)).isPresent());
    }

    /** Whose the key was when it was last asked for, within the last quarter of an hour; null = nobody's. */
    @Nullable Principal known(String hash) {
        var before = known.getIfPresent(hash);
        return before == null ? null : before.principal().orElse(null);
    }

    private Mono<Optional<Principal>> load(String hash) {
        long begun = forgotten.get();
        return source.apply(hash)
                .timeout(PATIENCE)
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .doOnNext(found -> {
                    if (forgotten.get() == begun) {
                        known.put(hash, new Known(found, clock.instant(), clock.instant()));
                    }
                })
                .onErrorResume(e -> asBefore(hash, e))
                .doFinally(signal -> running.remove(hash))
                .cache();
    }

    private Mono<Optional<Principal>> asBefore(String hash, Throwable error) {
        var before = known.getIfPresent(hash);
        var now = clock.instant();
        if (before == null
                || before.principal().isEmpty()
                || now.isAfter(before.confirmedAt().plus(STALE))) {
            return Mono.error(error);
        }
        known.put(hash, new Known(before.principal(), now, before.confirmedAt()));
        LOG.warn("keys cannot be checked, going on with what was known: {}", error.getMessage());
        return Mono.just(before.principal());
    }
}
