package io.mirante.alert.alerting;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ThresholdTest {

    @ParameterizedTest
    @CsvSource({
        "gte, 4.99, false",
        "gte, 5.00, true",
        "gte, 5.01, true",
        "gt, 5.00, false",
        "gt, 5.01, true",
        "lte, 5.01, false",
        "lte, 5.00, true",
        "lt, 5.00, false",
        "lt, 4.99, true"
    })
    void holdsOnItsSideOfTheValue(String operator, BigDecimal sum, boolean holds) {
        var threshold =
                new Threshold(
                        "ticket.volume",
                        new BigDecimal("5"),
                        Duration.ofMinutes(15),
                        Operator.of(operator).orElseThrow(),
                        Duration.ZERO);
        assertThat(threshold.holds(sum)).isEqualTo(holds);
    }

    @ParameterizedTest
    @CsvSource({"PT59S, PT0S", "PT24H1S, PT0S", "PT1M, PT24H1S", "PT1M, PT-1S"})
    void refusesWhatCannotBe(Duration window, Duration hold) {
        assertThatThrownBy(() ->
                        new Threshold("ticket.volume", BigDecimal.ONE, window, Operator.GTE, hold))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "90s, PT90S, 90s",
        "15m, PT15M, 15m",
        "120m, PT2H, 2h",
        "1d, PT24H, 24h",
        "0s, PT0S, 0s"
    })
    void readsAndWritesDurations(String text, Duration duration, String shortest) {
        assertThat(ShortDuration.parse(text)).contains(duration);
        assertThat(ShortDuration.text(duration)).isEqualTo(shortest);
    }

    @Test
    void refusesOtherForms() {
        for (var text : new String[] {"", "15", "m", "-1m", "1.5m", "15 m", "PT15M", "1w"}) {
            assertThat(ShortDuration.parse(text)).as(text).isEmpty();
        }
    }

    @Test
    void namesWhatWasProbablyMeant() {
        assertThat(MetricNames.close("sla_breach")).contains("ticket.sla_breached");
        assertThat(MetricNames.close("commerce.purchase")).contains("commerce.purchases");
    }
}
