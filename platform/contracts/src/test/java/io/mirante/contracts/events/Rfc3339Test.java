package io.mirante.contracts.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Rfc3339Test {

    @Test
    void agreesWithJavaTime() {
        var random = new Random(11);
        for (int run = 0; run < 50_000; run++) {
            var instant =
                    Instant.ofEpochSecond(
                            random.nextLong(0, 253_402_200_000L), random.nextInt(1_000_000_000));
            var offset = ZoneOffset.ofTotalSeconds(random.nextInt(-17 * 60, 17 * 60 + 1) * 60);
            var text = OffsetDateTime.ofInstant(instant, offset).toString();
            if (text.charAt(16) != ':') {
                continue; // java.time leaves out seconds that are 0; RFC 3339 does not
            }
            assertThat(Rfc3339.parse(text))
                    .as(text)
                    .isEqualTo(instant.truncatedTo(ChronoUnit.MICROS));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2026-11-20T10:00:00Z, 2026-11-20T10:00:00Z",
        "2026-11-20t10:00:00z, 2026-11-20T10:00:00Z",
        "2026-11-20 10:00:00-03:00, 2026-11-20T13:00:00Z",
        "2026-11-20T10:00:00.1Z, 2026-11-20T10:00:00.100Z",
        "2026-11-20T10:00:00.123456789Z, 2026-11-20T10:00:00.123456Z",
        "2016-12-31T23:59:60Z, 2017-01-01T00:00:00Z",
        "2024-02-29T00:00:00Z, 2024-02-29T00:00:00Z",
        "1970-01-01T00:00:00Z, 1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z, 9999-12-31T23:59:59.999999Z",
        "1970-01-01T01:00:00+01:00, 1970-01-01T00:00:00Z",
    })
    void reads(String text, Instant instant) {
        assertThat(Rfc3339.parse(text)).isEqualTo(instant);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2026-11-20",
                "2026-11-20T10:00:00",
                "2026-11-20T10:00Z",
                "2026-11-20T10:00:00.Z",
                "2026-11-20T10:00:00+0300",
                "2026-11-20T10:00:00+24:00",
                "2026-11-20T10:00:00+03:60",
                "2026-11-20T24:00:00Z",
                "2026-11-20T10:60:00Z",
                "2026-11-20T10:00:61Z",
                "2026-13-20T10:00:00Z",
                "2026-00-20T10:00:00Z",
                "2026-02-29T10:00:00Z",
                "2026-11-31T10:00:00Z",
                "2026-11-00T10:00:00Z",
                "2026/11/20T10:00:00Z",
                "1969-12-31T23:59:59Z",
                "1970-01-01T00:00:00+01:00",
                "9999-12-31T23:59:59-01:00",
                "0001-01-01T00:00:00Z",
                "1763632800000",
                "２026-11-20T10:00:00Z",
                "2026-11-20T10:00:00ZZ",
            })
    void refuses(String text) {
        assertThat(Rfc3339.parse(text)).isNull();
    }
}
