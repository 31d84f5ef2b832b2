package io.mirante.bench.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import io.mirante.platform.security.CachingJwtDecoder;
import java.io.PrintStream;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.interfaces.RSAPublicKey;
import java.text.ParseException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.security.oauth2.jwt.NimbusReactiveJwtDecoder;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;

/**
 * Verifies one RS256 token (2,048 bits, as the gateway signs) again and again on one thread, as a busy key's requests do:
 * with every signature checked, through the cache, and as a probe parsed without any check. Interleaved, five rounds,
 * medians; the first round of each, which warms up, is thrown away.
 */
public final class TokenBench {
    private static final int ROUNDS = 5;
    private static final long ROUND_NANOS = 1_000_000_000L;

    private TokenBench() {}

    private interface Work {
        void once();
    }

    /** Runs and prints; returns the exit code, 0. */
    public static int run(PrintStream out) {
        KeyPair keys = keys();
        String token = token(keys);
        ReactiveJwtDecoder verifier =
                NimbusReactiveJwtDecoder.withPublicKey((RSAPublicKey) keys.getPublic()).build();
        ReactiveJwtDecoder caching = new CachingJwtDecoder(verifier, Clock.systemUTC());
        Map<String, Work> works = new LinkedHashMap<>();
        works.put("parsed, not verified (probe)", () -> parse(token));
        works.put("verified each time", () -> verifier.decode(token).block());
        works.put("verified once, then from the cache", () -> caching.decode(token).block());

        Map<String, List<Double>> measured = new LinkedHashMap<>();
        for (int round = 0; round <= ROUNDS; round++) {
            for (Map.Entry<String, Work> work : works.entrySet()) {
                double micros = microsEach(work.getValue());
                if (round > 0) {
                    measured.computeIfAbsent(work.getKey(), ignored -> new ArrayList<>())
                            .add(micros);
                }
            }
        }
        out.printf(
                "RS256, 2,048 bits, token of %d characters; %d rounds of %d s each, medians; JDK %s, %d processors%n",
                token.length(),
                ROUNDS,
                ROUND_NANOS / 1_000_000_000,
                Runtime.version(),
                Runtime.getRuntime().availableProcessors());
        double verified = median(measured.getOrDefault("verified each time", List.of()));
        measured.forEach((name, rounds) ->
                out.printf(
                        "  %-36s %8.2f µs a request   %6.1f × less than verifying%n",
                        name, median(rounds), verified / median(rounds)));
        return 0;
    }

    private static double microsEach(Work work) {
        long begin = System.nanoTime();
        long count = 0;
        while (System.nanoTime() - begin < ROUND_NANOS) {
            for (int i = 0; i < 50; i++) {
                work.once();
            }
            count += 50;
        }
        return (System.nanoTime() - begin) / 1_000.0 / count;
    }

    private static double median(List<Double> rounds) {
        return rounds.stream().sorted().toList().get(rounds.size() / 2);
    }

    private static void parse(String token) {
        try {
            SignedJWT.parse(token).getJWTClaimsSet();
        } catch (ParseException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair keys() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String token(KeyPair keys) {
        Instant now = Instant.now();
        SignedJWT jwt =
                new SignedJWT(
                        new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("bench").build(),
                        new JWTClaimsSet.Builder()
                                .issuer("gateway")
                                .subject("bench")
                                .claim("tenant", "demo")
                                .claim(
                                        "scope",
                                        "ingest analytics.view analytics.manage admin platform")
                                .issueTime(Date.from(now))
                                .expirationTime(Date.from(now.plusSeconds(3600)))
                                .build());
        try {
            jwt.sign(new RSASSASigner(keys.getPrivate()));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
        return jwt.serialize();
    }
}
