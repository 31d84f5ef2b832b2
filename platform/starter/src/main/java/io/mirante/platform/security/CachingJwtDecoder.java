package io.mirante.platform.security;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.mirante.contracts.Sha256;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Callers;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.security.oauth2.server.resource.authentication.JwtGrantedAuthoritiesConverter;
import reactor.core.publisher.Mono;

/**
 * Verifies a token's signature once and remembers the result by the token's SHA-256 until it expires: a verification
 * costs tens of microseconds, a look-up less than one. Only valid tokens are kept, 100,000 at most. Thread-safe.
 */
public final class CachingJwtDecoder implements ReactiveJwtDecoder {

    private static final int MAX_TOKENS = 100_000;

    private final ReactiveJwtDecoder verifier;
    private final Clock clock;
    private final Cache<String, Verified> verified;
    private final JwtGrantedAuthoritiesConverter authorities = new JwtGrantedAuthoritiesConverter();

    /**
     * A token whose signature was found good.
     *
     * @param caller whom it names; null when it names no tenant
     */
    private record Verified(Jwt jwt, @Nullable Caller caller) {}

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
                        .expireAfter(
                                Expiry.<String, Verified>creating(
                                        (hash, known) -> remaining(known.jwt())))
                        .build();
    }

    @Override
    public Mono<Jwt> decode(String token) {
        var hash = sha256(token);
        var known = known(hash);
        return known != null
                ? Mono.just(known.jwt())
                : verifier.decode(token).doOnNext(jwt -> verified.put(hash, verified(jwt)));
    }

    /**
     * Whom a token names that was verified before and is still valid; null when it is to be {@linkplain #decode verified}
     * first, or names no tenant.
     */
    public @Nullable Caller callerOf(String token) {
        var known = known(sha256(token));
        return known == null ? null : known.caller();
    }

    private @Nullable Verified known(String hash) {
        var known = verified.getIfPresent(hash);
        return known != null && remaining(known.jwt()).isPositive() ? known : null;
    }

    private Verified verified(Jwt jwt) {
        return new Verified(
                jwt,
                Callers.of(new JwtAuthenticationToken(jwt, authorities.convert(jwt))).orElse(null));
    }

    private Duration remaining(Jwt jwt) {
        Instant expires = jwt.getExpiresAt();
        return expires == null ? Duration.ZERO : Duration.between(clock.instant(), expires);
    }

    private static String sha256(String token) {
        return Sha256.hex(token.getBytes(StandardCharsets.US_ASCII));
    }
}
