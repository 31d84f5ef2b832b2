package io.mirante.gateway.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

class KeyRingTest {

    private static final Principal ANN =
            new Principal("acme", "key_1", List.of("ingest"), List.of());
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final Moving clock = new Moving();
    private final AtomicInteger asked = new AtomicInteger();
    private Mono<Principal> answer = Mono.just(ANN);
    private final KeyRing keys = new KeyRing(hash -> Mono.defer(this::ask), clock);

    private Mono<Principal> ask() {
        asked.incrementAndGet();
        return answer;
    }

    @Test
    void aKeyInUseIsLookedUpAgainAfterASecondAndNobodyWaits() {
        for (int i = 0; i < 10; i++) {
            assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        }
        assertThat(asked).hasValue(1);
        clock.move(KeyRing.RENEWED.minusMillis(1));
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        assertThat(asked).hasValue(1);
        var later = Sinks.<Principal>one();
        answer = later.asMono();
        clock.move(Duration.ofMillis(1));
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        assertThat(asked).hasValue(2);
        later.tryEmitEmpty();
        assertThat(keys.find("h").block(LIMIT)).isNull();
        assertThat(asked).hasValue(2);
    }

    @Test
    void afterThreeSecondsACallWaitsForTheDatabase() {
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        var later = Sinks.<Principal>one();
        answer = later.asMono();
        clock.move(KeyRing.FRESH);
        var waiting = keys.find("h").toFuture();
        assertThat(waiting).isNotDone();
        later.tryEmitEmpty();
        assertThat(waiting.join()).isNull();
    }

    @Test
    void aLookUpFromBeforeTheKeyWasForgottenIsNotRemembered() {
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        var old = Sinks.<Principal>one();
        answer = old.asMono();
        clock.move(KeyRing.RENEWED);
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        keys.forget("key_1");
        answer = Mono.empty();
        old.tryEmitValue(ANN);
        assertThat(keys.find("h").block(LIMIT)).isNull();
    }

    @Test
    void aRevokedKeyIsRefusedAfterThreeSecondsAndAnUnknownOneRemembered() {
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        answer = Mono.empty();
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        clock.move(KeyRing.FRESH);
        assertThat(keys.find("h").block(LIMIT)).isNull();
        assertThat(keys.find("h").block(LIMIT)).isNull();
        assertThat(asked).hasValue(2);
    }

    @Test
    void aKeyThatWasForgottenIsLookedUpAtOnce() {
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        answer = Mono.empty();
        keys.forget("key_of_somebody_else");
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        keys.forget("key_1");
        assertThat(keys.find("h").block(LIMIT)).isNull();
    }

    @Test
    void whatWasKnownGoesOnWhileTheDatabaseIsAway() {
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        clock.move(KeyRing.FRESH);
        answer = Mono.error(new IllegalStateException("away"));
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        assertThat(asked).hasValue(2);
        assertThatThrownBy(() -> keys.find("other").block(LIMIT))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatWasKnownGoesOnForAQuarterOfAnHourAndNoLonger() {
        assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        answer = Mono.error(new IllegalStateException("away"));
        for (int minute = 0; minute < 15; minute++) {
            clock.move(Duration.ofMinutes(1));
            assertThat(keys.find("h").block(LIMIT)).isEqualTo(ANN);
        }
        clock.move(Duration.ofMinutes(1));
        assertThatThrownBy(() -> keys.find("h").block(LIMIT))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void lookUpsAtTheSameTimeShareOneQuery() {
        var later = Sinks.<Principal>one();
        answer = later.asMono();
        var both = Mono.zip(keys.find("h"), keys.find("h")).toFuture();
        later.tryEmitValue(ANN);
        assertThat(both.join().getT2()).isEqualTo(ANN);
        assertThat(asked).hasValue(1);
    }

    @Test
    void aTokenIsMintedOnceInSixtySecondsPerKey() {
        var nanos = new AtomicLong();
        var minted = new AtomicInteger();
        var tokens = new Tokens(who -> who.keyId() + "-" + minted.incrementAndGet(), nanos::get);
        var other = new Principal("acme", "key_2", List.of("ingest"), List.of());

        assertThat(tokens.of(ANN)).isEqualTo("key_1-1");
        assertThat(tokens.of(ANN)).isEqualTo("key_1-1");
        assertThat(tokens.of(other)).isEqualTo("key_2-2");
        nanos.addAndGet(Tokens.REUSED.toNanos() - 1);
        assertThat(tokens.of(ANN)).isEqualTo("key_1-1");
        nanos.addAndGet(1);
        assertThat(tokens.of(ANN)).isEqualTo("key_1-3");
    }

    private static final class Moving extends Clock {
        private Instant now = Instant.parse("2026-11-21T00:00:00Z");

        void move(Duration by) {
            now = now.plus(by);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
