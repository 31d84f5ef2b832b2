package io.mirante.platform.security;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import reactor.core.publisher.Mono;

/**
 * Verifies a token's signature once and remembers the result by the token's SHA-256 until it expires: a verification
 * costs tens of microseconds, a look-up less than one. Only valid tokens are kept, 100,000 at most. Thread-safe.
 */
public final class CachingJwtDecoder implements ReactiveJwtDecoder {

    private static final int MAX_TOKENS = 100_000;

    private final ReactiveJwtDecoder verifier;
    private final Clock clock;
    private final Cache<String, Jwt> verified;

    /**
     * Caches in front of another decoder.
     *
     * @param verifier checks signature and times of a token not seen before
     */
    public CachingJwtDecoder(ReactiveJwtDecoder verifier, Clock clock) {
        this.verifier = verifier;
        this.clock = clock;
        this.verified =
                Caffeine.newBuilder()
                        .maximumSize(MAX_TOKENS)
                        .expireAfter(Expiry.<String, Jwt>creating((hash, jwt) -> remaining(jwt)))
                        .build();
    }

    @Override
    public Mono<Jwt> decode(String token) {
        var hash = sha256(token);
        var known = verified.getIfPresent(hash);
        if (known != null && remaining(known).isPositive()) {
            return Mono.just(known);
        }
        return verifier.decode(token).doOnNext(jwt -> verified.put(hash, jwt));
    }

    private Duration remaining(Jwt jwt) {
        Instant expires = jwt.getExpiresAt();
        return expires == null ? Duration.ZERO : Duration.between(clock.instant(), expires);
    }

    private static String sha256(String token) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of()
                    .formatHex(digest.digest(token.getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
