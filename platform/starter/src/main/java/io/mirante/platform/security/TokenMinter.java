package io.mirante.platform.security;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.Date;
import java.util.List;

/** Signs the short-lived tokens that services trust (RS256, valid 120 s). Thread-safe. */
public final class TokenMinter {

    /** How long a token is valid. */
    public static final Duration VALID = Duration.ofSeconds(120);

    /** Scope of a call that no person or key is behind. */
    public static final String INTERNAL = "internal";

    private final RSASSASigner signer;
    private final String keyId;
    private final Clock clock;

    private TokenMinter(RSASSASigner signer, String keyId, Clock clock) {
        this.signer = signer;
        this.keyId = keyId;
        this.clock = clock;
    }

    /**
     * A minter with the private key in a file.
     *
     * @param file an RSA JWK with {@code kid}
     * @throws IllegalStateException when the file does not hold such a key
     */
    public static TokenMinter fromFile(Path file, Clock clock) {
        try {
            return of(RSAKey.parse(Files.readString(file)), clock);
        } catch (IOException | ParseException e) {
            throw new IllegalStateException(
                    "the signing key (MIRANTE_SIGNING_KEY_FILE) cannot be read: " + e.getMessage(),
                    e);
        }
    }

    /** A minter with a key at hand. */
    public static TokenMinter of(RSAKey key, Clock clock) {
        try {
            return new TokenMinter(new RSASSASigner(key), key.getKeyID(), clock);
        } catch (JOSEException e) {
            throw new IllegalStateException("the signing key must be a private RSA key", e);
        }
    }

    /**
     * A token for a caller.
     *
     * @param subject the key's or person's id
     * @param orgUnits empty = not limited
     */
    public String mint(
            String tenant, String subject, Collection<String> scopes, Collection<String> orgUnits) {
        var now = clock.instant();
        var claims =
                new JWTClaimsSet.Builder()
                        .issuer("mirante")
                        .subject(subject)
                        .claim("tenant", tenant)
                        .claim("scope", String.join(" ", scopes))
                        .claim("org_units", List.copyOf(orgUnits))
                        .issueTime(Date.from(now))
                        .expirationTime(Date.from(now.plus(VALID)))
                        .build();
        var token =
                new SignedJWT(
                        new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(keyId).build(), claims);
        try {
            token.sign(signer);
        } catch (JOSEException e) {
            throw new IllegalStateException("cannot sign a token", e);
        }
        return token.serialize();
    }

    /** A token for a call of this service's own (a schedule), for one tenant. */
    public String internal(String tenant, String service) {
        return mint(tenant, service, List.of(INTERNAL), List.of());
    }
}
