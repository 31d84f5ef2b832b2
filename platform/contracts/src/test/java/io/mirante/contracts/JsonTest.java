package io.mirante.contracts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;

class JsonTest {

    /** Ended too early, twice a field, too deep, more after the end, no value, a number that is none. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\":[{",
                "{\"a\":1,\"a\":2}",
                "[[",
                "{} {}",
                "{\"a\":}",
                "{\"a\":01}",
                "abc"
            })
    void aReasonSaysNothingOfTheReader(String text) {
        var broken =
                text.equals("[[")
                        ? "[".repeat(Json.MAX_DEPTH + 1) + "]".repeat(Json.MAX_DEPTH + 1)
                        : text;
        var error =
                catchThrowableOfType(JacksonException.class, () -> Json.mapper().readTree(broken));
        assertThat(Json.reason(error))
                .hasSizeGreaterThan(10)
                .doesNotContain(
                        "Source", "REDACTED", "StreamRead", "tools.jackson", "UNKNOWN", "`");
    }
}
