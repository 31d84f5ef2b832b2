package io.mirante.contracts.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.erdtman.jcs.JsonCanonicalizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

class CanonicalJsonTest {

    /** The example of RFC 8785, section 3.2.2, and its canonical form of section 3.2.3. */
    @Test
    void writesTheExampleOfTheStandard() {
        var given =
                """
                {"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                 "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
                 "literals": [null, true, false]}\
                """;
        // 333333333.33333329 has more digits than its double prints (…333333.3333333), and they are
        // kept here.
        assertThat(canonical(given.replace("33333329", "3333333")))
                .isEqualTo(
                        "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                                + "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    }

    @Test
    void sortsByUtf16CodeUnits() {
        assertThat(
                        canonical(
                                "{\"\\ufb33\":1,\"\\ud83d\\ude00\":2,\"\\u20ac\":3,\"\\r\":4,\"1\":5,\"\\u0080\":6,\"\\u00f6\":7}"))
                .isEqualTo(
                        "{\"\\r\":4,\"1\":5,\"\u0080\":6,\"ö\":7,\"€\":3,\"😀\":2,\"\ufb33\":1}");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0, 0",
        "-0.0, 0",
        "0e5, 0",
        "1.0, 1",
        "1e0, 1",
        "100, 100",
        "1E2, 100",
        "-1.50, -1.5",
        "1e20, 100000000000000000000",
        "1e21, 1e+21",
        "123e19, 1.23e+21",
        "0.000001, 0.000001",
        "0.0000001, 1e-7",
        "1.25e-7, 1.25e-7",
        "5e-324, 5e-324",
        "1.7976931348623157e308, 1.7976931348623157e+308",
        "9007199254740993, 9007199254740993",
        "12345678901234567890, 12345678901234567890",
        "0.1234567890123456789, 0.1234567890123456789",
    })
    void writesNumbersAsEcmaScriptAndKeepsEveryDigit(String given, String canonical) {
        assertThat(canonical(given)).isEqualTo(canonical);
    }

    @Test
    void agreesWithTheReferenceImplementation() throws IOException {
        for (long seed = 1; seed <= 3_000; seed++) {
            var tree = new RandomTrees(seed).object();
            var text = JsonMapper.shared().writeValueAsString(tree);
            var reference = new JsonCanonicalizer(text).getEncodedUTF8();
            assertThat(CanonicalJson.bytes(tree))
                    .as("seed %d: %s", seed, text)
                    .isEqualTo(reference);
            assertThat(CanonicalJson.bytes(Json.mapper().readTree(text)))
                    .as("decimals, seed %d: %s", seed, text)
                    .isEqualTo(reference);
        }
    }

    @Test
    void refusesWhatJsonDoesNotHave() {
        var nodes = JsonNodeFactory.instance;
        for (JsonNode node :
                new JsonNode[] {
                    nodes.numberNode(Double.NaN),
                    nodes.numberNode(Double.POSITIVE_INFINITY),
                    nodes.stringNode("\ud800"),
                    nodes.stringNode("\udc00x"),
                    nodes.binaryNode(new byte[] {1}),
                }) {
            assertThatThrownBy(() -> CanonicalJson.bytes(node))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static String canonical(String json) {
        return new String(
                CanonicalJson.bytes(Json.mapper().readTree(json)), StandardCharsets.UTF_8);
    }
}
