package io.mirante.segmentation.profile;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ProfileChangeTest {

    @Test
    void gathersPerUserInTheOrderOfTenantAndUser() {
        var changes =
                List.copyOf(
                        ProfileChange.of(
                                List.of(
                                        event("b", "page_view", "2026-01-01T00:00:00Z", null, "{}"),
                                        event("a", "page_view", "2026-01-02T00:00:00Z", null, "{}"),
                                        event(
                                                "a",
                                                "interaction",
                                                "2026-01-01T00:00:00Z",
                                                "s",
                                                "{}"),
                                        event(
                                                null,
                                                "page_view",
                                                "2026-01-01T00:00:00Z",
                                                null,
                                                "{}")),
                                tenant -> "USD"));

        assertThat(changes).extracting(c -> c.user).containsExactly("a", "b");
        var a = changes.getFirst();
        assertThat(a.firstSeen()).isEqualTo(Instant.parse("2026-01-01T00:00:00Z"));
        assertThat(a.lastSeen()).isEqualTo(Instant.parse("2026-01-02T00:00:00Z"));
        assertThat(a.engagement()).isEqualTo(1);
        assertThat(a.days).hasSize(2);
        assertThat(a.days.firstEntry().getValue().sessions).containsExactly("s");
        assertThat(a.days.firstEntry().getValue().visits()).isEqualTo("{}");
        assertThat(a.days.lastEntry().getValue().visits())
                .isEqualTo("{[2026-01-02T00:00:00Z,2026-01-02T00:30:00Z)}");
    }

    @Test
    void purchasesAreExactPerUtcDayAndCurrencyZeroValueIncluded() {
        var changes =
                List.copyOf(
                        ProfileChange.of(
                                List.of(
                                        event(
                                                "a",
                                                "purchase",
                                                "2026-01-01T23:59:59Z",
                                                null,
                                                "{\"amount\":0.1}"),
                                        event(
                                                "a",
                                                "purchase",
                                                "2026-01-01T00:00:00Z",
                                                null,
                                                "{\"amount\":\"0.2\",\"currency\":\"usd\"}"),
                                        event(
                                                "a",
                                                "purchase",
                                                "2026-01-02T00:00:00Z",
                                                null,
                                                "{\"amount\":0}"),
                                        event(
                                                "a",
                                                "purchase",
                                                "2026-01-02T00:00:00Z",
                                                null,
                                                "{\"amount\":5,\"currency\":\"EUR\"}")),
                                tenant -> "USD"));

        var days = changes.getFirst().days;
        var first = purchases(days, "2026-01-01").get("USD");
        assertThat(first.orders()).isEqualTo(2);
        assertThat(first.amount()).isEqualByComparingTo(new BigDecimal("0.3"));
        assertThat(purchases(days, "2026-01-02").get("USD").amount()).isZero();
        assertThat(purchases(days, "2026-01-02").get("EUR").orders()).isEqualTo(1);
    }

    @Test
    void theLatestTraitsWinWhateverTheirOrderInThePoll() {
        var changes =
                List.copyOf(
                        ProfileChange.of(
                                List.of(
                                        event(
                                                "a",
                                                "identify",
                                                "2026-01-02T00:00:00Z",
                                                null,
                                                "{\"traits\":{\"city\":\"Lisbon\"}}"),
                                        event(
                                                "a",
                                                "sign_up",
                                                "2026-01-01T00:00:00Z",
                                                null,
                                                "{\"traits\":{\"city\":\"Porto\",\"name\":\"Ana\"}}")),
                                tenant -> "USD"));

        var traits = changes.getFirst().traits;
        assertThat(traits.path("city").stringValue()).isEqualTo("Lisbon");
        assertThat(traits.path("name").stringValue()).isEqualTo("Ana");
        assertThat(changes.getFirst().traitsAt).isEqualTo(Instant.parse("2026-01-02T00:00:00Z"));
    }

    private static Map<String, ProfileChange.Purchases> purchases(
            Map<LocalDate, ProfileChange.Day> days, String day) {
        return days.get(LocalDate.parse(day)).purchases;
    }

    private static CleanEvent event(
            @Nullable String user, String type, String at, @Nullable String session, String data) {
        var empty = Json.mapper().createObjectNode();
        return new CleanEvent(
                "t",
                "e",
                type,
                "web",
                user,
                "anon",
                session,
                Instant.parse(at),
                Instant.parse(at),
                1,
                Json.mapper().readTree(data),
                empty,
                empty);
    }
}
