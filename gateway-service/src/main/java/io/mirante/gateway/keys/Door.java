package io.mirante.gateway.keys;

import com.github.benmanes.caffeine.cache.Ticker;
import io.mirante.platform.security.TokenMinter;
import java.time.Clock;
import org.jspecify.annotations.Nullable;
import org.springframework.security.core.authority.AuthorityUtils;
import org.springframework.security.core.context.ReactiveSecurityContextHolder;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.util.context.Context;

/** Turns a key's fingerprint, or a person's token, into whom it stands for, and that into a token. Thread-safe. */
@Component
public final class Door {

    private final KeyRing keys;
    private final KeyRing persons;
    private final People people;
    private final Tokens tokens;
    private final LastUse lastUse;

    Door(ApiKeys store, People people, TokenMinter minter, LastUse lastUse, Clock clock) {
        this.people = people;
        this.lastUse = lastUse;
        this.keys = new KeyRing(store::find, clock);
        this.persons = new KeyRing(this::person, clock);
        this.tokens =
                new Tokens(
                        who -> minter.mint(who.tenant(), who.keyId(), who.scopes(), who.orgUnits()),
                        Ticker.systemTicker());
    }

    /**
     * Whom a key or token stands for; empty when nobody; an error when that cannot be known now. What was revoked is empty
     * within five seconds, so whoever holds something open for long asks again each second.
     *
     * @param fingerprint as {@link PresentedKey} makes it
     */
    public Mono<Principal> open(String fingerprint) {
        return (fingerprint.startsWith(PresentedKey.TOKEN)
                        ? signedIn(fingerprint.substring(PresentedKey.TOKEN.length()))
                        : keys.find(fingerprint))
                .doOnNext(who -> lastUse.used(who.keyId()));
    }

    /** Whose a key was when it was last looked up; null = nobody's, or not known here. */
    public @Nullable Principal known(String keyHash) {
        return keys.known(keyHash);
    }

    /** Whether the key was good when it was last looked up, and so needs no look-up that could be refused. */
    public boolean knows(String keyHash) {
        return known(keyHash) != null;
    }

    /** The token that says so to the services. */
    public String token(Principal principal) {
        return tokens.of(principal);
    }

    /** Makes the principal the caller of the gateway's own handlers: for {@code contextWrite}. */
    public static Context asCaller(Principal who) {
        var jwt =
                Jwt.withTokenValue("-")
                        .header("alg", "none")
                        .subject(who.keyId())
                        .claim("tenant", who.tenant())
                        .claim("org_units", who.orgUnits())
                        .build();
        return ReactiveSecurityContextHolder.withAuthentication(
                new JwtAuthenticationToken(
                        jwt,
                        AuthorityUtils.createAuthorityList(
                                who.scopes().stream().map(s -> "SCOPE_" + s).toList())));
    }

    /** A key or person was changed or removed: in force on this replica at once. */
    public void changed(String keyId) {
        keys.forget(keyId);
        persons.forget(keyId);
    }

    private Mono<Principal> signedIn(String token) {
        return people.verify(token)
                .flatMap(who -> persons.find(who.subject() + "\n" + who.email()));
    }

    private Mono<Principal> person(String claimed) {
        int end = claimed.lastIndexOf('\n');
        return people.find(
                new People.Claimed(claimed.substring(0, end), claimed.substring(end + 1)));
    }
}
