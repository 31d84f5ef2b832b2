package io.mirante.platform.erasure;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.UserFeatures;
import io.mirante.contracts.gateway.PersonErasure;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ErasuresTest {

    private static final Instant ERASED = Instant.parse("2026-11-21T10:00:00Z");

    private final Erasures erasures =
            new Erasures(() -> {
                throw new IllegalStateException("nothing is read here");
            });

    private static PersonErasure erasure(
            String user, @Nullable Instant erasedAt, Long... personNos) {
        return new PersonErasure(
                "t",
                PersonErasure.hash("t", user),
                null,
                "gateway_1",
                erasedAt == null ? PersonErasure.REQUESTED : PersonErasure.COMPLETED,
                ERASED,
                erasedAt,
                List.of(personNos),
                1);
    }

    @Test
    void whatWasKnownByTheErasureIsCoveredAndWhatCameLaterIsNot() {
        erasures.learn(erasure("ana", ERASED, 4L));

        assertThat(erasures.covers("t", "ana", 0, ERASED)).isTrue();
        assertThat(erasures.covers("t", "ana", 0, ERASED.plusNanos(1000))).isFalse();
        assertThat(erasures.covers("t", "ana", 9, ERASED.plusSeconds(1))).isFalse();
        assertThat(erasures.covers("t", "bia", 0, ERASED)).isFalse();
        assertThat(erasures.covers("other", "ana", 4, ERASED)).isFalse();
    }

    @Test
    void aNumberIsCoveredForEver() {
        erasures.learn(erasure("ana", ERASED, 4L));
        erasures.learn(erasure("ana", ERASED.minusSeconds(60), 2L));

        assertThat(erasures.covers("t", null, 4, ERASED.plusSeconds(1))).isTrue();
        assertThat(erasures.covers("t", null, 2, ERASED.plusSeconds(1))).isTrue();
        assertThat(erasures.covers("t", null, 3, ERASED)).isFalse();
        assertThat(erasures.covers("t", "ana", 0, ERASED)).as("the later time stands").isTrue();
    }

    @Test
    void whatIsOnlyRequestedCoversNothingYet() {
        erasures.learn(erasure("ana", null));
        assertThat(erasures.covers("t", "ana", 0, ERASED.minusSeconds(1))).isFalse();
    }

    @Test
    void anEventLosesItsPersonAndKeepsItsNumberAndWhatTotalsAreMadeOf() {
        erasures.learn(erasure("ana", ERASED, 4L));
        var event =
                new CleanEvent(
                        "t",
                        "e",
                        "purchase",
                        "commerce",
                        "ana",
                        "visitor",
                        "session",
                        ERASED,
                        ERASED.plusSeconds(5),
                        4,
                        Json.mapper()
                                .readTree(
                                        "{\"amount\":\"1.50\",\"currency\":\"USD\",\"note\":\"ana\",\"price\":{\"of\":\"ana\"}}"),
                        Json.mapper().readTree("{\"who\":\"ana\"}"),
                        Json.mapper().readTree("{\"ip\":\"ana\"}"));

        assertThat(erasures.cover(event)).isTrue();
        var left = Erasures.withoutPerson(event);

        assertThat(left).isNotNull();
        assertThat(left.personNo()).isEqualTo(4);
        assertThat(left.personId()).isNull();
        assertThat(left.sessionId()).isNull();
        assertThat(left.data())
                .isEqualTo(Json.mapper().readTree("{\"amount\":\"1.50\",\"currency\":\"USD\"}"));
        assertThat(Json.mapper().writeValueAsString(left)).doesNotContain("ana");
    }

    @Test
    void nothingIsLeftOfFeatures() {
        erasures.learn(erasure("ana", ERASED, 4L));
        var features = new UserFeatures("t", "ana", 4, 1, ERASED, 1, Map.of());
        assertThat(erasures.cover(features)).isTrue();
        assertThat(Erasures.withoutPerson(features)).isNull();
        assertThat(erasures.cover("a text")).isFalse();
    }
}
