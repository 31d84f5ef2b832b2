package io.mirante.gateway.admin;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.time.Instant;
import java.util.Date;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

/** An OpenID provider on loopback: discovery, keys, tokens. */
final class TestIssuer {

    private final RSAKey key = key("issuer-key");
    private final RSAKey stranger = key("stranger");
    private final AtomicInteger keysAsked = new AtomicInteger();
    private final DisposableServer server =
            HttpServer.create()
                    .host("127.0.0.1")
                    .port(0)
                    .route(routes ->
                            routes.get(
                                            "/.well-known/openid-configuration",
                                            (request, response) ->
                                                    response.header(
                                                                    "Content-Type",
                                                                    "application/json")
                                                            .sendString(
                                                                    Mono.fromSupplier(
                                                                            this::document)))
                                    .get(
                                            "/jwks",
                                            (request, response) ->
                                                    response.header(
                                                                    "Content-Type",
                                                                    "application/json")
                                                            .sendString(
                                                                    Mono.fromSupplier(this::keys))))
                    .bindNow();

    static RSAKey key(String id) {
        try {
            return new RSAKeyGenerator(2048).keyID(id).generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    String url() {
        return "http://127.0.0.1:" + server.port();
    }

    private String keys() {
        keysAsked.incrementAndGet();
        return new JWKSet(key.toPublicJWK()).toString();
    }

    /** How often somebody has asked for the keys. */
    int keysAsked() {
        return keysAsked.get();
    }

    private String document() {
        return "{\"issuer\": \"%1$s\", \"jwks_uri\": \"%1$s/jwks\", \"authorization_endpoint\": \"%1$s/a\", \"token_endpoint\": \"%1$s/t\", \"response_types_supported\": [\"code\"], \"subject_types_supported\": [\"public\"], \"id_token_signing_alg_values_supported\": [\"RS256\"]}"
                .formatted(url());
    }

    /** A good token for somebody, unless the claims are changed. */
    String token(String subject, String email, UnaryOperator<JWTClaimsSet.Builder> change) {
        return signed(key, subject, email, change);
    }

    String token(String subject, String email) {
        return token(subject, email, c -> c);
    }

    /** The same, signed with another key under the issuer's key id. */
    String forged(String subject, String email) {
        return signed(key(key.getKeyID()), subject, email, c -> c);
    }

    /** The same, signed with a key, and under an id, that the issuer does not know. */
    String ofUnknownKey(String id) {
        return signed(new RSAKey.Builder(stranger).keyID(id).build(), "s", "s@x.example", c -> c);
    }

    private String signed(
            RSAKey with, String subject, String email, UnaryOperator<JWTClaimsSet.Builder> change) {
        var now = Instant.now();
        var claims =
                new JWTClaimsSet.Builder()
                        .issuer(url())
                        .audience("mirante")
                        .subject(subject)
                        .claim("email", email)
                        .claim("email_verified", true)
                        .issueTime(Date.from(now))
                        .expirationTime(Date.from(now.plusSeconds(300)));
        var token =
                new SignedJWT(
                        new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(with.getKeyID()).build(),
                        change.apply(claims).build());
        try {
            token.sign(new RSASSASigner(with));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
        return token.serialize();
    }
}
