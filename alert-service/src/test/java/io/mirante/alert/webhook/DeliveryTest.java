package io.mirante.alert.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class DeliveryTest {

    private static final Instant CREATED = Instant.parse("2026-01-01T12:00:00Z");

    private static Delivery attempt(int attempts) {
        return new Delivery("msg_1", "rcp_1", "http://x/", "whsec_", "{}", attempts, CREATED);
    }

    @Test
    void pausesDoubleUpToAnHour() {
        assertThat(attempt(1).pause(0.5)).isEqualTo(Duration.ofSeconds(1));
        assertThat(attempt(2).pause(0.5)).isEqualTo(Duration.ofSeconds(2));
        assertThat(attempt(12).pause(0.5)).isEqualTo(Duration.ofSeconds(2048));
        assertThat(attempt(13).pause(0.5)).isEqualTo(Duration.ofHours(1));
        assertThat(attempt(1_000).pause(0.5)).isEqualTo(Duration.ofHours(1));
    }

    @Test
    void pausesAreSpreadByATenth() {
        assertThat(attempt(4).pause(0)).isEqualTo(Duration.ofMillis(7_200));
        assertThat(attempt(4).pause(0.999))
                .isBetween(Duration.ofMillis(8_700), Duration.ofMillis(8_800));
    }

    @Test
    void isGivenUpAfterThreeDays() {
        assertThat(attempt(1).isTooOld(CREATED.plus(Delivery.LIFETIME).minusMillis(1))).isFalse();
        assertThat(attempt(1).isTooOld(CREATED.plus(Delivery.LIFETIME))).isTrue();
    }
}
