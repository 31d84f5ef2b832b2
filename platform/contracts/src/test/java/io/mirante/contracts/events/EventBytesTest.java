package io.mirante.contracts.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.EventValidator.Accepted;
import io.mirante.contracts.events.EventValidator.Rejected;
import io.mirante.contracts.events.EventValidator.Rules;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Events as bytes: what is passed on, what is told of the unreadable, and the clock. */
class EventBytesTest {

    private static final EventValidator VALIDATOR = new EventValidator();

    private static byte[] utf8(String text) {
        return text.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }

    private static Accepted accepted(byte[] json, Rules rules) {
        return switch (VALIDATOR.validate(json, rules)) {
            case Accepted accepted -> accepted;
            case Rejected rejected -> throw new AssertionError(rejected);
        };
    }

    @Test
    void unchangedPartsGoOnAsTheyWereSpelled() {
        var before = utf8("[7, ");
        var event =
                utf8(
                        """
                        {'event_id': 'é1', 'user_id': 'u', 'timestamp': '2026-11-20T10:00:00Z',
                         'event_type': {'type': 'PageView', 'data': {'url': '/\\u00e9', 'n': 1.50e1,  'big': 12345678901234567890.10}},
                         'metadata': {'a' : [1, 2]}, 'context': { 'é': 1 }}\
                        """);
        var all = new byte[before.length + event.length + 1];
        System.arraycopy(before, 0, all, 0, before.length);
        System.arraycopy(event, 0, all, before.length, event.length);
        all[all.length - 1] = ']';

        var result =
                (Accepted)
                        VALIDATOR.validate(
                                all, before.length, before.length + event.length, Events.OPEN);
        var written = result.event().toJson(result.own());

        assertThat(new String(written, StandardCharsets.UTF_8))
                .contains(
                        "\"data\":{\"url\": \"/\\u00e9\", \"n\": 1.50e1,  \"big\": 12345678901234567890.10}",
                        "\"metadata\":{\"a\" : [1, 2]}",
                        "\"context\":{ \"é\": 1 }");
        assertThat(CanonicalEvent.fromJson(written)).isEqualTo(result.event());
        assertThat(CanonicalEvent.fromJson(written).contentHash())
                .isEqualTo(result.event().contentHash());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'user_id': 'u', 'event_type': 'x', 'payload': {'a': 1.0}}",
                "{'user_id': 'u', 'event_type': 'x', 'data': {'a': 1.0}, 'metadata': null}",
                "{'user_id': 'u', 'event_type': {'data': {'a': 1.0}, 'type': 'x'}, 'more': {'b': 1.0}}",
                "{'user_id': 'u', 'event_type': 'x', 'metadata': {}, 'sent_at': '2026-11-20T10:00:00Z'}",
            })
    void whateverTheShapeTheBytesHoldTheEvent(String json) {
        var result = accepted(utf8(json), Events.OPEN);
        assertThat(Json.mapper().readTree(result.event().toJson(result.own())))
                .isEqualTo(Json.mapper().readTree(result.event().toJson()));
    }

    @Test
    void whatWasChangedIsWrittenAnew() {
        var result =
                accepted(
                        utf8("{'user_id': 'u', 'event_type': 'x', 'payload': {'mail':  'a@b.c'}}"),
                        Events.OPEN);
        var masked = result.event().withData(Events.json("{'mail': '***'}"));
        assertThat(new String(masked.toJson(result.own()), StandardCharsets.UTF_8))
                .contains("\"data\":{\"mail\":\"***\"}")
                .doesNotContain("a@b.c");
    }

    @Test
    void paddingIsNotPassedOn() {
        var json =
                utf8(
                        "{'user_id': 'u', 'event_type': 'x', 'payload': {"
                                + " ".repeat(70_000)
                                + "}}");
        var result = accepted(json, Events.OPEN);
        assertThat(result.own()).isNull();
        assertThat(result.event().toJson(result.own())).hasSizeLessThan(1000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'event_id': 'e', 'event_type': 'x', 'a': 1, 'a': 2} | duplicate_field | e",
                "{'event_id': 'e', 'a': {'b': 1, 'b': 2}} | duplicate_field | e",
                "{'event_id': 'e', 'event_id': 'f'} | duplicate_field | e",
                "{'a': 1, 'a': 2, 'event_id': 'e'} | duplicate_field | e",
                "{'event_id': 'e', 'a': nope} | invalid_json | e",
                "{'event_id': 'e'} {} | invalid_json | e",
                "{'event_id': 7, 'a': nope} | invalid_json | none",
                "{'event_id': 'e\\u0000', 'a': nope} | invalid_json | none",
            })
    void tellsTheIdOfWhatCannotBeRead(String json, String code, String id) {
        assertThat(VALIDATOR.validate(utf8(json), Events.OPEN))
                .isInstanceOfSatisfying(
                        Rejected.class,
                        r -> {
                            assertThat(r.reason()).isEqualTo(Reason.MALFORMED);
                            assertThat(r.errors().getFirst().code()).isEqualTo(code);
                            assertThat(r.eventId()).isEqualTo(id.equals("none") ? null : id);
                        });
    }

    @Test
    void depthAndDigitsAreBounded() {
        var deep = "{'a': " + "[".repeat(10_000) + "]".repeat(10_000) + ", 'event_id': 'e'}";
        var long_ = "{'event_id': 'e', 'a': " + "1".repeat(2_000) + "}";
        for (var one : List.of(List.of(deep, "too_deep"), List.of(long_, "number_too_long"))) {
            assertThat(VALIDATOR.validate(utf8(one.getFirst()), Events.OPEN))
                    .isInstanceOfSatisfying(
                            Rejected.class,
                            r -> {
                                assertThat(r.errors().getFirst().code()).isEqualTo(one.getLast());
                                assertThat(r.eventId()).isEqualTo("e");
                            });
        }
    }

    @Test
    void utf8IsJudgedAsTheJdkDoes() {
        for (long seed = 1; seed <= 200_000; seed++) {
            var random = new Random(seed);
            var bytes = new byte[random.nextInt(1, 8)];
            random.nextBytes(bytes);
            if (random.nextBoolean()) {
                bytes =
                        new String(bytes, StandardCharsets.UTF_16BE)
                                .getBytes(StandardCharsets.UTF_8);
            }
            boolean mark =
                    bytes.length >= 3
                            && bytes[0] == (byte) 0xEF
                            && bytes[1] == (byte) 0xBB
                            && bytes[2] == (byte) 0xBF;
            assertThat(Utf8.valid(bytes)).as("seed %d", seed).isEqualTo(!mark && jdkTakes(bytes));
        }
    }

    private static boolean jdkTakes(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(bytes));
            return true;
        } catch (java.nio.charset.CharacterCodingException e) {
            return false;
        }
    }

    @Test
    void encodedSurrogatesAreNotPassedOn() {
        var json = utf8("{'user_id': 'u', 'event_type': 'x', 'payload': {'a': '######'}}");
        int at = new String(json, StandardCharsets.ISO_8859_1).indexOf("######");
        byte[] pair = {
            (byte) 0xED, (byte) 0xA0, (byte) 0x80, (byte) 0xED, (byte) 0xB0, (byte) 0x80
        };
        System.arraycopy(pair, 0, json, at, 6);
        assertThat(VALIDATOR.validate(json, Events.OPEN))
                .isInstanceOfSatisfying(
                        Rejected.class,
                        r -> assertThat(r.errors().getFirst().code()).isEqualTo("bad_encoding"));
    }

    private static final Rules CLOCK =
            new Rules(false, false, 65_536, Events.RECEIVED, "/http", Duration.ofMinutes(5));

    @ParameterizedTest
    @CsvSource({
        // received at 12:00:00.123456789
        "2026-11-21T11:00:00Z, 2026-11-21T12:00:00Z, 2026-11-21T11:00:00Z",
        "2026-11-21T11:00:00Z, 2026-11-21T12:05:00.123456789Z, 2026-11-21T11:00:00Z",
        "2026-11-21T11:00:00Z, 2026-11-21T11:55:00.123456789Z, 2026-11-21T11:00:00Z",
        "2026-11-21T13:59:00Z, 2026-11-21T14:00:00.123456Z, 2026-11-21T11:59:00Z",
        "2036-11-21T11:59:00Z, 2036-11-21T12:00:00.123456Z, 2026-11-21T11:59:00Z",
        "2026-10-22T11:59:00Z, 2026-10-22T12:00:00.123456Z, 2026-11-21T11:59:00Z",
        "1970-01-01T00:00:10Z, 9999-12-31T23:59:59Z, 1970-01-01T00:00:10Z",
    })
    void onlyAClockThatIsPlainlyWrongIsCorrected(
            String timestamp, String sentAt, Instant occurredAt) {
        var json = Events.pageView().put("timestamp", timestamp).put("sent_at", sentAt).toString();
        var event = accepted(json.getBytes(StandardCharsets.UTF_8), CLOCK).event();
        assertThat(event.occurredAt()).isEqualTo(occurredAt);
        assertThat(event.timestampAsGiven()).isEqualTo(timestamp);
        assertThat(event.contentHash())
                .isEqualTo(
                        Events.accept(Events.pageView().put("timestamp", timestamp)).contentHash());
    }

    @Test
    void theSameEventDaysLaterThroughAnotherDoorWithoutATimestampHasTheSameHash() {
        var one = Events.pageView();
        one.remove("timestamp");
        var other =
                Events.json(
                        """
                        {'payload': {'url': '/products'}, 'event_type': 'page view', 'user_id': 'u1', 'event_id': 'e1',
                         'sent_at': '2026-11-28T10:00:00Z', 'context': {'a': 1}, 'metadata': {'b': 2}, 'priority': 'critical'}
                        """);
        var later =
                new Rules(
                        true,
                        true,
                        65_536,
                        Events.RECEIVED.plus(Duration.ofDays(7)),
                        "/import/orders",
                        Duration.ofMinutes(5));
        var first = Events.accept(one);
        var again = accepted(Json.mapper().writeValueAsBytes(other), later).event();
        assertThat(again.contentHash()).isEqualTo(first.contentHash());
        assertThat(again.occurredAt()).isNotEqualTo(first.occurredAt());
        var else_ = Events.accept(Events.pageView());
        assertThat(else_.contentHash())
                .as("a timestamp is content")
                .isNotEqualTo(first.contentHash());
    }

    @Test
    void withoutATimestampTheTimeOfReceiptStandsWhateverTheClientsClock() {
        var json = Events.pageView().put("sent_at", "2036-11-21T12:00:00Z");
        json.remove("timestamp");
        assertThat(accepted(Json.mapper().writeValueAsBytes(json), CLOCK).event().occurredAt())
                .isEqualTo(Instant.parse("2026-11-21T12:00:00.123456Z"));
    }

    @Test
    void anOlderVersionIsStillAcceptedAndANewerIsNot() {
        var pageView = java.util.Objects.requireNonNull(EventTypes.find("page_view"));
        var login = java.util.Objects.requireNonNull(EventTypes.find("login"));
        var second =
                new EventType(
                        "page_view",
                        Module.WEB,
                        List.of(),
                        data -> null,
                        List.of(pageView.schema(1), login.schema(1)));
        var validator = new EventValidator(EventIds::uuidV7, name -> second);
        for (int version = 1; version <= 2; version++) {
            var event = Events.pageView().put("schema_version", version);
            assertThat(validator.validate(event, Events.STRICT))
                    .isInstanceOfSatisfying(
                            Accepted.class,
                            a ->
                                    assertThat(a.event().schemaVersion())
                                            .isEqualTo(event.path("schema_version").intValue()));
        }
        var noUrl = Events.json("{'user_id': 'u', 'event_type': 'page_view', 'schema_version': 1}");
        assertThat(validator.validate(noUrl, Events.OPEN))
                .as("judged by the version it names")
                .isInstanceOf(Rejected.class);
        assertThat(validator.validate(noUrl.put("schema_version", 2), Events.OPEN))
                .isInstanceOf(Accepted.class);
        assertThat(validator.validate(noUrl.put("schema_version", 3), Events.OPEN))
                .isInstanceOfSatisfying(
                        Rejected.class, r -> assertThat(r.reason()).isEqualTo(Reason.VERSION));
    }
}
