package io.mirante.contracts.events;

import static io.mirante.contracts.events.Events.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.TelemetryReadings.Accepted;
import io.mirante.contracts.events.TelemetryReadings.Rejected;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

class TelemetryReadingsTest {
    private static final Instant RECEIVED = Instant.parse("2026-11-21T12:00:00Z");

    private static ObjectNode reading() {
        return json(
                "{'device_id': 'press-1', 'device_type': 'press', 'timestamp': '2026-11-20T10:00:00Z', 'metrics': {'temperature': 75.5, 'cycles': 3}}");
    }

    private static TelemetryReadings.Item one(ObjectNode body) {
        return TelemetryReadings.check(body, RECEIVED, 65_536);
    }

    private static void assertRejected(
            TelemetryReadings.Item item, Reason reason, String pointer, String code) {
        assertThat(item)
                .isInstanceOfSatisfying(
                        Rejected.class,
                        r -> {
                            assertThat(r.reason()).isEqualTo(reason);
                            assertThat(r.errors())
                                    .singleElement()
                                    .satisfies(e -> {
                                        assertThat(e.pointer()).isEqualTo(pointer);
                                        assertThat(e.code()).isEqualTo(code);
                                    });
                        });
    }

    @Test
    void readsOneReading() {
        assertThat(one(reading()))
                .isEqualTo(
                        new Accepted(
                                new TelemetryReading(
                                        "press-1",
                                        "press",
                                        Instant.parse("2026-11-20T10:00:00Z"),
                                        Map.of("temperature", 75.5, "cycles", 3.0))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "5 | wrong_type",
                "[] | wrong_type",
                "{\"a\": | invalid_json",
                "{\"device_id\": \"a\", \"device_id\": \"b\"} | duplicate_field",
            })
    void whatIsNoReadingIsMalformed(String text, String code) {
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        assertRejected(
                TelemetryReadings.check(bytes, 0, bytes.length, RECEIVED, 65_536),
                Reason.MALFORMED,
                "",
                code);
    }

    @Test
    void readsAReadingAmongOtherBytes() {
        var bytes = ("[" + reading() + "]").getBytes(StandardCharsets.UTF_8);
        assertThat(TelemetryReadings.check(bytes, 1, bytes.length - 1, RECEIVED, 65_536))
                .isEqualTo(one(reading()));
    }

    @Test
    void timeAndTypeAreOptional() {
        var reading = reading();
        reading.remove("timestamp");
        reading.remove("device_type");
        assertThat(((Accepted) one(reading)).reading().timestamp()).isEqualTo(RECEIVED);
        assertThat(((Accepted) one(reading)).reading().deviceType()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'device_id': null} | IDENTITY | /device_id | required",
                "{'device_id': ' '} | CONTRACT | /device_id | blank",
                "{'device_id': 7} | CONTRACT | /device_id | wrong_type",
                "{'device_type': 7} | CONTRACT | /device_type | wrong_type",
                "{'timestamp': 7} | CONTRACT | /timestamp | invalid_time",
                "{'metrics': null} | CONTRACT | /metrics | required",
                "{'metrics': {}} | CONTRACT | /metrics | wrong_type",
                "{'metrics': [1]} | CONTRACT | /metrics | wrong_type",
                "{'metrics': {'a/b': '75'}} | CONTRACT | /metrics/a~1b | wrong_type",
                "{'metrics': {'a': null}} | CONTRACT | /metrics/a | wrong_type",
                "{'metrics': {'': 1}} | CONTRACT | /metrics/ | blank",
                "{'metrics': {'a': 1e400}} | MALFORMED | /metrics/a | number_out_of_range",
                "{'device_id': 'a\\u0000'} | MALFORMED | /device_id | nul_character",
                "{'unit': 'C'} | CONTRACT | /unit | unknown_field",
            })
    void refuses(String changes, Reason reason, String pointer, String code) {
        var reading = reading();
        reading.setAll(json(changes));
        assertRejected(one(reading), reason, pointer, code);
    }

    @Test
    void boundsMetricsAndBytes() {
        var reading = reading();
        var metrics = reading.putObject("metrics");
        for (int i = 0; i < TelemetryReadings.MAX_METRICS; i++) {
            metrics.put("m" + i, i);
        }
        assertThat(one(reading)).isInstanceOf(Accepted.class);
        metrics.put("one_more", 1);
        assertRejected(one(reading), Reason.CONTRACT, "/metrics", "too_many");
        int size = Json.mapper().writeValueAsBytes(reading()).length;
        assertThat(TelemetryReadings.check(reading(), RECEIVED, size)).isInstanceOf(Accepted.class);
        assertRejected(
                TelemetryReadings.check(reading(), RECEIVED, size - 1),
                Reason.SIZE,
                "",
                "too_large");
    }

    @Test
    void comesBackFromJson() {
        var metrics = new LinkedHashMap<String, Double>();
        metrics.put("z", 1e-300);
        metrics.put("a", -0.1);
        for (var type : new String[] {"press", null}) {
            var reading =
                    new TelemetryReading(
                            "d", type, Instant.parse("2026-11-20T10:00:00.000001Z"), metrics);
            var back = TelemetryReading.fromJson(reading.toJson());
            assertThat(back).isEqualTo(reading);
            assertThat(back.metrics().keySet()).containsExactly("z", "a");
        }
        var newer =
                new String(
                                new TelemetryReading("d", null, RECEIVED, metrics).toJson(),
                                StandardCharsets.UTF_8)
                        .replace("{\"device_id\"", "{\"from_the_future\":1,\"device_id\"");
        assertThat(TelemetryReading.fromJson(newer.getBytes(StandardCharsets.UTF_8)).deviceId())
                .isEqualTo("d");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "{}", "{\"device_id\":\"d\",\"metrics\":{\"a\":\"x\"}}"})
    void refusesBytesThatAreNoReading(String text) {
        assertThatThrownBy(() -> TelemetryReading.fromJson(text.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("not a reading");
    }

    @Test
    void validatesItsParts() {
        assertThatThrownBy(() -> new TelemetryReading("d", null, RECEIVED, Map.of("a", Double.NaN)))
                .hasMessageContaining("a must be finite");
        assertThatThrownBy(() -> new TelemetryReading("d", null, RECEIVED, Map.of()))
                .hasMessageContaining("metrics");
        assertThatThrownBy(() -> new TelemetryReading(" ", null, RECEIVED, Map.of("a", 1.0)))
                .hasMessageContaining("deviceId");
    }
}
