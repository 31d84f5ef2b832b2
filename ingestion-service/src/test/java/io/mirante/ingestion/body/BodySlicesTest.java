package io.mirante.ingestion.body;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import io.mirante.platform.web.ProblemException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JacksonException;

class BodySlicesTest {

    private static final int MANY = 1_000_000;

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<String> cut(String body) {
        var bytes = utf8(body);
        return BodySlices.list(bytes, "events", MANY).stream()
                .map(s -> new String(bytes, s.from(), s.to() - s.from(), StandardCharsets.UTF_8))
                .toList();
    }

    @Test
    void cutsAtTheEventsOwnBytes() {
        assertThat(
                        cut(
                                " {\"\\u0065vents\" :\n[ {\"a\": \"}]\\\"\"} ,[1,[2]], \"é\\\\\" , -1.5e3 ,null,{} ] } "))
                .containsExactly(
                        "{\"a\": \"}]\\\"\"}", "[1,[2]]", "\"é\\\\\"", "-1.5e3", "null", "{}");
    }

    @Test
    void whatAnEventHoldsInsideIsItsOwnBusiness() {
        assertThat(cut("{\"events\": [{\"a\": 1, \"a\": 2}, {nope}, {\"a\"}, [}]}"))
                .containsExactly("{\"a\": 1, \"a\": 2}", "{nope}", "{\"a\"}", "[}")
                .hasSize(4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{\"events\"",
                "{\"events\":",
                "{\"events\": [",
                "{\"events\": []",
                "{\"events\": [{}",
                "{\"events\": [{\"a\": \"]}",
                "{\"events\": [{}}]}",
                "{\"events\": [{},]}",
                "{\"events\": [,{}]}",
                "{\"events\": [{} {}]}",
                "{\"events\": [{}]} x",
                "{\"events\": [{}],}",
                "{events: [{}]}",
                "{\"events\" [{}]}",
                "{\"events\": [{}], \"events\": []}",
                "x",
                "[",
            })
    void whatIsBrokenOutsideTheEventsIsRefusedWhole(String body) {
        assertThatThrownBy(() -> cut(body))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("not valid JSON");
    }

    @Test
    void aBodyOfOpenBracketsCostsNoMemory() {
        var bytes = utf8("{\"events\": [" + "[".repeat(4_000_000));
        assertThatThrownBy(() -> BodySlices.list(bytes, "events", MANY))
                .isInstanceOf(ProblemException.class);
    }

    /** Cut pieces that are JSON, put together, are the body: nothing is taken that the parser would not take whole. */
    @Test
    void agreesWithTheParserOnRandomBodies() {
        int taken = 0;
        var alphabet = "{}[]\",:\\ 1ae.-\n";
        for (long seed = 1; seed <= 300_000; seed++) {
            var random = new Random(seed);
            var inner = new StringBuilder();
            for (int i = random.nextInt(14); i >= 0; i--) {
                inner.append(
                        random.nextInt(4) == 0
                                ? List.of("{\"a\":1}", "\"x\"", "[1]", "{}", "true", ",")
                                        .get(random.nextInt(6))
                                : String.valueOf(
                                        alphabet.charAt(random.nextInt(alphabet.length()))));
            }
            var body = "{\"events\":[" + inner + "]}";
            boolean whole = parses(body);
            boolean pieces;
            try {
                pieces = cut(body).stream().allMatch(BodySlicesTest::parses);
            } catch (ProblemException e) {
                pieces = e.getMessage().contains("at least one");
            }
            assertThat(pieces).as("seed %d: %s", seed, body).isEqualTo(whole);
            taken += whole ? 1 : 0;
        }
        assertThat(taken).isGreaterThan(1000);
    }

    private static boolean parses(String json) {
        try {
            return !Json.mapper().readTree(json).isMissingNode();
        } catch (JacksonException e) {
            return false;
        }
    }
}
