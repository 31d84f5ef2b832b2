package io.mirante.platform.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.NimbusReactiveJwtDecoder;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;

class CachingJwtDecoderTest {

    private static RSAKey key;
    private static ReactiveJwtDecoder verifier;

    private final AtomicInteger verifications = new AtomicInteger();
    private final ReactiveJwtDecoder counting =
            token -> {
                verifications.incrementAndGet();
                return verifier.decode(token);
            };

    @BeforeAll
    static void makeKey() throws Exception {
        key = new RSAKeyGenerator(2048).keyID("gateway-test").generate();
        verifier = NimbusReactiveJwtDecoder.withPublicKey(key.toRSAPublicKey()).build();
    }

    private static String token(String tenant) {
        return TokenMinter.of(key, Clock.systemUTC())
                .mint(tenant, "k1", List.of("ingest"), List.of());
    }

    @Test
    void aSignatureIsVerifiedOncePerTokenAndNotPerRequest() {
        var decoder = new CachingJwtDecoder(counting, Clock.systemUTC());
        var token = token("demo");
        for (int i = 0; i < 1_000; i++) {
            assertThat(tenantOf(decoder.decode(token).block())).isEqualTo("demo");
        }
        assertThat(verifications).hasValue(1);
        assertThat(tenantOf(decoder.decode(token("other")).block())).isEqualTo("other");
        assertThat(verifications).hasValue(2);
    }

    @Test
    void aForgedTokenIsNeverRemembered() {
        var decoder = new CachingJwtDecoder(counting, Clock.systemUTC());
        var token = token("demo");
        decoder.decode(token).block();
        var forged =
                token.substring(0, token.length() - 6)
                        + (token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> decoder.decode(forged).block())
                    .isInstanceOf(BadJwtException.class);
        }
        assertThat(verifications).hasValue(4);
    }

    @Test
    void aRememberedTokenIsNotValidPastItsExpiry() {
        var now = Instant.now();
        var later = Clock.fixed(now.plus(TokenMinter.VALID).plusSeconds(1), ZoneOffset.UTC);
        var clock = new SwitchedClock(Clock.fixed(now, ZoneOffset.UTC));
        var decoder = new CachingJwtDecoder(counting, clock);
        var token = token("demo");
        decoder.decode(token).block(Duration.ofSeconds(5));
        clock.now = later;
        decoder.decode(token).block(Duration.ofSeconds(5));
        assertThat(verifications).as("past its expiry the verifier decides again").hasValue(2);
    }

    private static String tenantOf(Jwt jwt) {
        return jwt.getClaimAsString("tenant");
    }

    private static final class SwitchedClock extends Clock {
        private Clock now;

        SwitchedClock(Clock now) {
            this.now = now;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return now.instant();
        }
    }
}
