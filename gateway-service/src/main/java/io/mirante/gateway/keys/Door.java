package io.mirante.gateway.keys;

import com.github.benmanes.caffeine.cache.Ticker;
import io.mirante.platform.security.TokenMinter;
import java.time.Clock;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Turns a key's hash into whom it stands for, and that into a token. Thread-safe. */
@Component
public final class Door {

    private final KeyRing keys;
    private final Tokens tokens;

    Door(ApiKeys store, TokenMinter minter, Clock clock) {
        this.keys = new KeyRing(store::find, clock);
        this.tokens =
                new Tokens(
                        who -> minter.mint(who.tenant(), who.keyId(), who.scopes(), who.orgUnits()),
                        Ticker.systemTicker());
    }

    /** Whom the key stands for; empty when nobody; an error when that cannot be known now. */
    public Mono<Principal> open(String keyHash) {
        return keys.find(keyHash);
    }

    /** The token that says so to the services. */
    public String token(Principal principal) {
        return tokens.of(principal);
    }
}
