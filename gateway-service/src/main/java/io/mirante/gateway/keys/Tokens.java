package io.mirante.gateway.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.function.Function;

/**
 * A signed token per key, made once in 60 s and valid for 120, so that replicas and services see few of them and each has
 * at least a minute left. Thread-safe.
 */
final class Tokens {

    static final Duration REUSED = Duration.ofSeconds(60);

    private static final int MAX_TOKENS = 20_000;

    private final Function<Principal, String> mint;
    private final Cache<Principal, String> minted;

    Tokens(Function<Principal, String> mint, Ticker ticker) {
        this.mint = mint;
        this.minted =
                Caffeine.newBuilder()
                        .ticker(ticker)
                        .maximumSize(MAX_TOKENS)
                        .expireAfterWrite(REUSED)
                        .build();
    }

    String of(Principal principal) {
        return minted.get(principal, mint);
    }
}
