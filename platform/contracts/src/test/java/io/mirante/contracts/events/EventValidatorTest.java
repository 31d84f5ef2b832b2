package io.mirante.contracts.events;

import static io.mirante.contracts.events.Events.BATCH;
import static io.mirante.contracts.events.Events.OPEN;
import static io.mirante.contracts.events.Events.RECEIVED;
import static io.mirante.contracts.events.Events.STRICT;
import static io.mirante.contracts.events.Events.VALIDATOR;
import static io.mirante.contracts.events.Events.accept;
import static io.mirante.contracts.events.Events.json;
import static io.mirante.contracts.events.Events.pageView;
import static io.mirante.contracts.events.Events.purchase;
import static io.mirante.contracts.events.Events.reject;
import static io.mirante.contracts.events.Events.rules;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.EventValidator.Rejected;
import io.mirante.contracts.events.EventValidator.Rules;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

class EventValidatorTest {

    private static void assertRejected(
            Rejected rejected, Reason reason, String pointer, String code) {
        assertThat(rejected.reason()).isEqualTo(reason);
        assertThat(rejected.errors())
                .as("%s", rejected)
                .anySatisfy(e -> {
                    assertThat(e.pointer()).isEqualTo(pointer);
                    assertThat(e.code()).isEqualTo(code);
                    assertThat(e.message()).isNotBlank();
                });
    }

    // --- identity

    @Test
    void makesAnIdForAnEventWithoutOne() {
        var event = pageView();
        event.remove("event_id");
        var ids = new HashSet<String>();
        for (int i = 0; i < 1_000; i++) {
            var id = UUID.fromString(accept(event).eventId());
            assertThat(id.version()).isEqualTo(7);
            assertThat(id.variant()).isEqualTo(2);
            assertThat(id.getMostSignificantBits() >>> 16).isEqualTo(RECEIVED.toEpochMilli());
            ids.add(id.toString());
        }
        assertThat(ids).hasSize(1_000);
    }

    @Test
    void asksForAnIdWhereOneIsRequired() {
        assertThat(accept(pageView(), BATCH).eventId()).isEqualTo("e1");
        var event = pageView();
        event.putNull("event_id");
        assertRejected(reject(event, BATCH), Reason.IDENTITY, "/event_id", "required");
    }

    @Test
    void asksForAPersonExceptInOperationalModules() {
        var event = pageView();
        event.remove("user_id");
        assertRejected(reject(event), Reason.IDENTITY, "/user_id", "required");
        assertThat(accept(event.put("anonymous_id", "a")).anonymousId()).isEqualTo("a");
        accept(json("{'event_type': 'ticket.created', 'data': {'ticket_id': 't'}}"));
        accept(json("{'event_type': 'segmentation.requested'}"));
        assertRejected(
                reject(json("{'event_type': 'made_up'}")), Reason.IDENTITY, "/user_id", "required");
        accept(json("{'event_type': 'ticket.escalated', 'module': 'tickets'}"));
        for (var module : Module.values()) {
            var custom = json("{'event_type': 'made_up'}").put("module", module.wireName());
            if (module.operational()) {
                assertThat(accept(custom).module()).isEqualTo(module.wireName());
            } else {
                assertRejected(reject(custom), Reason.IDENTITY, "/user_id", "required");
            }
        }
        assertThat(Arrays.stream(Module.values()).filter(Module::operational)).hasSize(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"event_id", "user_id", "anonymous_id", "session_id"})
    void idsAreNonBlankTextOfBoundedLength(String field) {
        accept(pageView().put(field, "x".repeat(200)));
        accept(pageView().put(field, "😀".repeat(200)));
        accept(pageView().put(field, "evt:ação 1/2"));
        assertRejected(
                reject(pageView().put(field, "x".repeat(201))),
                Reason.CONTRACT,
                "/" + field,
                "too_long");
        assertRejected(
                reject(pageView().put(field, "😀".repeat(201))),
                Reason.CONTRACT,
                "/" + field,
                "too_long");
        assertRejected(reject(pageView().put(field, " ")), Reason.CONTRACT, "/" + field, "blank");
        assertRejected(reject(pageView().put(field, "")), Reason.CONTRACT, "/" + field, "blank");
        assertRejected(
                reject(pageView().put(field, "a\nb")),
                Reason.CONTRACT,
                "/" + field,
                "control_character");
        assertRejected(
                reject(pageView().put(field, 7)), Reason.CONTRACT, "/" + field, "wrong_type");
        assertThat(reject(pageView().put(field, 7)).errors().getFirst().message())
                .isEqualTo(field + " must be text; put the number in quotes");
        assertRejected(
                reject(pageView().set(field, json("{}"))),
                Reason.CONTRACT,
                "/" + field,
                "wrong_type");
    }

    @Test
    void tellsTheIdOfWhatItRefuses() {
        assertThat(reject(pageView().put("timestamp", "x")).eventId()).isEqualTo("e1");
        assertThat(reject(pageView().put("event_id", 7)).eventId()).isNull();
        assertThat(reject(pageView().put("title", "\u0000")).eventId()).isEqualTo("e1");
        assertThat(reject(pageView(), rules(false, false, 10)).eventId()).isEqualTo("e1");
    }

    // --- times

    @Test
    void takesTheTimeOfReceiptWhenThereIsNoOther() {
        var event = pageView();
        event.remove("timestamp");
        assertThat(accept(event).occurredAt())
                .isEqualTo(Instant.parse("2026-11-21T12:00:00.123456Z"));
        assertThat(accept(event).timestampAsGiven()).isNull();
    }

    @Test
    void acceptsAnyClockThatIsReadable() {
        for (var time :
                new String[] {
                    "2036-11-20T10:00:00Z", "2026-10-20T10:00:00Z", "1970-01-01T00:00:00Z"
                }) {
            assertThat(accept(pageView().put("timestamp", time)).occurredAt())
                    .isEqualTo(Instant.parse(time));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"timestamp", "sent_at"})
    void refusesATimeThatIsNone(String field) {
        assertRejected(
                reject(pageView().put(field, "yesterday")),
                Reason.CONTRACT,
                "/" + field,
                "invalid_time");
        assertRejected(
                reject(pageView().put(field, "2026-11-20T10:00:00")),
                Reason.CONTRACT,
                "/" + field,
                "invalid_time");
        assertRejected(
                reject(pageView().put(field, 1763632800)),
                Reason.CONTRACT,
                "/" + field,
                "wrong_type");
    }

    @Test
    void keepsTheSendingTimeInMetadata() {
        var event = pageView().put("sent_at", "2026-11-20T10:00:01Z");
        assertThat(accept(event).metadata()).isEqualTo(json("{'sent_at': '2026-11-20T10:00:01Z'}"));
        event.putObject("metadata").put("sent_at", "mine");
        assertThat(accept(event).metadata()).isEqualTo(json("{'sent_at': 'mine'}"));
    }

    // --- types, modules, versions, priority

    @Test
    void unknownTypesAreCustomUnlessStrict() {
        var event = pageView().put("event_type", "Level Finished");
        assertThat(accept(event).eventType()).isEqualTo("level_finished");
        assertThat(accept(event).module()).isEqualTo("custom");
        assertThat(accept(event).data()).isEqualTo(Json.mapper().createObjectNode());
        assertRejected(reject(event, STRICT), Reason.CONTRACT, "/event_type", "unknown_type");
        accept(pageView(), STRICT);
    }

    @Test
    void needsATypeWithAName() {
        var event = pageView();
        event.remove("event_type");
        assertRejected(reject(event), Reason.CONTRACT, "/event_type", "required");
        assertRejected(
                reject(pageView().put("event_type", 5)),
                Reason.CONTRACT,
                "/event_type",
                "wrong_type");
        assertRejected(
                reject(pageView().put("event_type", "")), Reason.CONTRACT, "/event_type", "blank");
        assertRejected(
                reject(pageView().put("event_type", "!?")),
                Reason.CONTRACT,
                "/event_type",
                "blank");
        accept(pageView().put("event_type", "x".repeat(100)));
        assertRejected(
                reject(pageView().put("event_type", "x".repeat(101))),
                Reason.CONTRACT,
                "/event_type",
                "too_long");
        assertRejected(
                reject(pageView().set("event_type", json("{}"))),
                Reason.CONTRACT,
                "/event_type/type",
                "required");
        assertRejected(
                reject(pageView().set("event_type", json("{'type': 1}"))),
                Reason.CONTRACT,
                "/event_type/type",
                "wrong_type");
    }

    @Test
    void dataIsOneObject() {
        assertRejected(
                reject(json("{'user_id': 'u', 'event_type': 'made_up', 'payload': []}")),
                Reason.CONTRACT,
                "/payload",
                "wrong_type");
        assertRejected(
                reject(json("{'user_id': 'u', 'event_type': {'type': 'made_up', 'data': 'x'}}")),
                Reason.CONTRACT,
                "/event_type/data",
                "wrong_type");
        assertRejected(
                reject(
                        json(
                                "{'user_id': 'u', 'event_type': 'made_up', 'payload': {}, 'data': {}}")),
                Reason.CONTRACT,
                "/data",
                "ambiguous");
        accept(json("{'user_id': 'u', 'event_type': 'made_up', 'payload': null, 'data': {}}"));
        assertThat(
                        accept(
                                        json(
                                                "{'user_id': 'u', 'event_type': {'type': 'made_up'}, 'payload': {'a': 1}}"))
                                .data())
                .isEqualTo(json("{'a': 1}"));
    }

    @Test
    void theTypeDecidesOnTheModule() {
        assertThat(accept(pageView().put("module", "web"), STRICT).metadata())
                .isEqualTo(json("{}"));
        assertRejected(
                reject(pageView().put("module", "shop")),
                Reason.CONTRACT,
                "/module",
                "unknown_module");
        var other = pageView().put("module", "tickets");
        assertThat(accept(other).module()).isEqualTo("web");
        assertThat(accept(other).metadata()).isEqualTo(json("{'_extra': {'module': 'tickets'}}"));
        assertRejected(reject(other, STRICT), Reason.CONTRACT, "/module", "wrong_module");
        other.remove("user_id");
        assertRejected(reject(other), Reason.IDENTITY, "/user_id", "required");
    }

    @Test
    void refusesOnlyNewerVersions() {
        assertThat(accept(pageView().put("schema_version", 1)).schemaVersion()).isEqualTo(1);
        assertRejected(
                reject(pageView().put("schema_version", 2)),
                Reason.VERSION,
                "/schema_version",
                "newer_version");
        assertRejected(
                reject(pageView().put("schema_version", 1L << 40)),
                Reason.VERSION,
                "/schema_version",
                "newer_version");
        assertRejected(
                reject(pageView().put("schema_version", 0)),
                Reason.CONTRACT,
                "/schema_version",
                "out_of_range");
        assertRejected(
                reject(pageView().put("schema_version", "1")),
                Reason.CONTRACT,
                "/schema_version",
                "wrong_type");
        assertRejected(
                reject(pageView().put("schema_version", 1.5)),
                Reason.CONTRACT,
                "/schema_version",
                "wrong_type");
        assertThat(
                        accept(pageView().put("event_type", "made_up").put("schema_version", 9))
                                .schemaVersion())
                .isEqualTo(9);
    }

    @Test
    void priorityComesFromTheClientOrTheType() {
        assertThat(accept(pageView()).critical()).isFalse();
        assertThat(accept(pageView().put("priority", "normal")).critical()).isFalse();
        assertThat(accept(pageView().put("priority", "critical")).critical()).isTrue();
        assertThat(
                        accept(
                                        pageView()
                                                .put("event_type", "payment.failed")
                                                .put("priority", "normal"))
                                .critical())
                .isTrue();
        assertRejected(
                reject(pageView().put("priority", "high")),
                Reason.CONTRACT,
                "/priority",
                "not_allowed");
    }

    // --- unknown fields

    @Test
    void keepsUnknownFieldsUnderExtra() {
        var event = pageView().put("library", "js").put("_extra", 1);
        event.putObject("metadata").put("a", 1).putObject("_extra").put("before", true);
        event.path("event_type").asObject().put("hint", "x");
        assertThat(accept(event).metadata())
                .isEqualTo(
                        json(
                                "{'a': 1, '_extra': {'before': true, 'library': 'js', '_extra': 1, 'event_type': {'hint': 'x'}}}"));
        assertThat(event.path("metadata").path("_extra").size())
                .as("the given tree is left alone")
                .isEqualTo(1);
        assertRejected(reject(event, STRICT), Reason.CONTRACT, "/library", "unknown_field");
        assertRejected(reject(event, STRICT), Reason.CONTRACT, "/event_type/hint", "unknown_field");
    }

    @ParameterizedTest
    @ValueSource(strings = {"metadata", "context"})
    void metadataAndContextAreOpenObjects(String field) {
        var event = pageView();
        event.putObject(field).put("whatever", 1);
        accept(event, STRICT);
        accept(pageView().putNull(field), STRICT);
        assertRejected(
                reject(pageView().put(field, "x")), Reason.CONTRACT, "/" + field, "wrong_type");
    }

    // --- data

    @ParameterizedTest
    @CsvSource({
        "0",
        "0.0",
        "35.14",
        "'\"35.14\"'",
        "'\"0\"'",
        "999999999999999.99",
        "'\"999999999999999.999999999\"'",
        "1e2"
    })
    void amountsAreNumbersOrDecimalTextAndStayAsGiven(String amount) {
        var event = accept(purchase(amount));
        assertThat(event.data().get("amount")).isEqualTo(Json.mapper().readTree(amount));
    }

    @ParameterizedTest
    @CsvSource({
        "-0.01, out_of_range",
        "1e15, out_of_range",
        "'\"-1\"', wrong_format",
        "'\"1,50\"', wrong_format",
        "'\"1e3\"', wrong_format",
        "'\"\"', wrong_format",
        "'\"1000000000000000\"', wrong_format",
        "'\"1.0000000001\"', wrong_format",
        "null, wrong_type",
        "true, wrong_type",
        "[1], wrong_type",
    })
    void refusesOtherAmounts(String amount, String code) {
        assertRejected(reject(purchase(amount)), Reason.CONTRACT, "/payload/amount", code);
    }

    @Test
    void errorsNameTheFieldAndTheRemedy() {
        var event =
                json(
                        "{'user_id': 'u', 'event_type': {'type': 'Purchase', 'data': {'currency': 'R$', 'items': [{'quantity': 0}]}}}");
        assertThat(reject(event).errors())
                .containsExactlyInAnyOrder(
                        new FieldError(
                                "/event_type/data/amount",
                                "required",
                                "amount is required for this event type; add it"),
                        new FieldError(
                                "/event_type/data/currency",
                                "wrong_format",
                                "currency must be a currency code of three letters, such as USD"),
                        new FieldError(
                                "/event_type/data/items/0/quantity",
                                "out_of_range",
                                "quantity must be more than 0"));
    }

    @Test
    void listsAtMostTwentyErrors() {
        var event = pageView();
        for (int i = 0; i < 30; i++) {
            event.put("unknown" + i, i);
        }
        assertThat(reject(event, STRICT).errors()).hasSize(20);
    }

    // --- what no store can hold

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"x\"", "[]", "null", "true"})
    void anEventIsAnObject(String json) {
        assertRejected(reject(Json.mapper().readTree(json)), Reason.MALFORMED, "", "wrong_type");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            emptyValue = "",
            value = {
                "{'metadata': {'a': ['x', 'y\\u0000']}} | /metadata/a/1 | nul_character",
                "{'user_id': '\\u0000'} | /user_id | nul_character",
                "{'context': {'a': '\\ud800'}} | /context/a | lone_surrogate",
                "{'context': {'a': 'x\\udc00y'}} | /context/a | lone_surrogate",
                "{'context': {'a': '\\udc00\\ud800'}} | /context/a | lone_surrogate",
                "{'context': {'\\u0000': 1}} | /context | nul_character",
                "{'x\\u0000': 1} | `` | nul_character",
                "{'metadata': {'n': 1e400}} | /metadata/n | number_out_of_range",
                "{'metadata': {'n': -1e309}} | /metadata/n | number_out_of_range",
                "{'metadata': {'n': 1.8e308}} | /metadata/n | number_out_of_range",
                "{'metadata': {'n': 1e-400}} | /metadata/n | number_out_of_range",
                "{'metadata': {'n': 1e999999999}} | /metadata/n | number_out_of_range",
                "{'metadata': {'n': 0e999999999}} | /metadata/n | number_out_of_range",
            })
    void refusesWhatCannotBeStored(String changes, String pointer, String code) {
        var event = pageView();
        event.setAll(json(changes));
        assertRejected(reject(event), Reason.MALFORMED, pointer, code);
    }

    /** Two numbers of a thousand digits, one large and one small, have a sum that nobody could read any more. */
    @Test
    void refusesNumbersOfMoreThanAHundredDigits() {
        var event = pageView();
        event.set("metadata", json("{'n': 1.%s}".formatted("1".repeat(99))));
        accept(event);
        event.set("metadata", json("{'n': 1.%s}".formatted("1".repeat(100))));
        assertRejected(reject(event), Reason.MALFORMED, "/metadata/n", "number_too_long");
        event.set("metadata", json("{'n': -%s.5}".formatted("9".repeat(100))));
        assertRejected(reject(event), Reason.MALFORMED, "/metadata/n", "number_too_long");
    }

    @Test
    void refusesInfinityHoweverItGotIn() {
        for (double value : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
            var event = pageView();
            event.putObject("metadata").put("n", value);
            assertRejected(reject(event), Reason.MALFORMED, "/metadata/n", "number_out_of_range");
        }
        var lenient =
                JsonMapper.shared()
                        .readTree(
                                "{\"user_id\":\"u\",\"event_type\":\"a\",\"data\":{\"n\":1e400}}");
        assertRejected(reject(lenient), Reason.MALFORMED, "/data/n", "number_out_of_range");
    }

    @ParameterizedTest
    @ValueSource(strings = {"😀", "a\ud83d\ude00b", "\u0001\t\u007f", "日本語", "\uffff"})
    void acceptsEveryOtherText(String text) {
        var event = pageView();
        event.putObject("metadata").put(text, text);
        assertThat(
                        CanonicalEvent.fromJson(accept(event).toJson())
                                .metadata()
                                .get(text)
                                .stringValue())
                .isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.7976931348623157e308",
                "5e-324",
                "-0.0",
                "123456789012345678901234567890",
                "0.1234567890123456789012345"
            })
    void numbersWithinADoublesRangeKeepTheirDigits(String number) {
        var event = pageView();
        event.set("metadata", json("{'n': " + number + "}"));
        var back = CanonicalEvent.fromJson(accept(event).toJson());
        assertThat(back.metadata().get("n").decimalValue()).isEqualByComparingTo(number);
    }

    @Test
    void nestingIsBounded() {
        // The event itself is level 1, metadata 2.
        accept(nested(EventValidator.MAX_DEPTH - 2));
        var rejected = reject(nested(EventValidator.MAX_DEPTH - 1));
        assertThat(rejected.reason()).isEqualTo(Reason.MALFORMED);
        assertThat(rejected.errors().getFirst().code()).isEqualTo("too_deep");
        assertThat(reject(nested(50_000)).errors().getFirst().code()).isEqualTo("too_deep");
    }

    @Test
    void theDeepestEventStillFitsIntoWhatCarriesIt() {
        var event = pageView();
        event.set("unknown", arrays(EventValidator.MAX_DEPTH - 1));
        var canonical = accept(event);
        assertThat(CanonicalEvent.fromJson(canonical.toJson())).isEqualTo(canonical);
        var batch = Json.mapper().createObjectNode();
        batch.putArray("events").add(event);
        assertThat(Json.mapper().readTree(Json.mapper().writeValueAsBytes(batch))).isEqualTo(batch);
    }

    @Test
    void sizeIsBoundedInBytes() {
        var event = pageView();
        event.putObject("metadata").put("text", "é".repeat(100));
        int size = Json.mapper().writeValueAsBytes(event).length;
        accept(event, rules(false, false, size));
        assertRejected(reject(event, rules(false, false, size - 1)), Reason.SIZE, "", "too_large");
        event.putObject("metadata").put("text", "x".repeat(1_000_000));
        assertRejected(reject(event), Reason.SIZE, "", "too_large");
        accept(event, rules(false, false, 1024 * 1024));
    }

    // --- bytes

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"a\":1,}",
                "{\"a\":1}{\"b\":2}",
                "{\"user_id\":\"a\",\"user_id\":\"b\"}",
                "{\"n\":NaN}",
                "{'a':1}",
                "\"\\ud8\""
            })
    void refusesBytesThatAreNotJson(String text) {
        var result = VALIDATOR.validate(text.getBytes(StandardCharsets.UTF_8), OPEN);
        assertThat(result)
                .isInstanceOfSatisfying(
                        Rejected.class, r -> assertThat(r.reason()).isEqualTo(Reason.MALFORMED));
    }

    @Test
    void refusesBytesThatAreNotUtf8OrFarTooMany() {
        var broken =
                "{\"user_id\":\"é\",\"event_type\":\"login\"}"
                        .getBytes(StandardCharsets.ISO_8859_1);
        assertThat(VALIDATOR.validate(broken, OPEN))
                .isInstanceOfSatisfying(
                        Rejected.class, r -> assertThat(r.reason()).isEqualTo(Reason.MALFORMED));
        assertThat(VALIDATOR.validate(new byte[300_000], OPEN))
                .isInstanceOfSatisfying(
                        Rejected.class, r -> assertThat(r.reason()).isEqualTo(Reason.SIZE));
        var deep = ("{\"a\":" + "[".repeat(10_000)).getBytes(StandardCharsets.UTF_8);
        assertThat(VALIDATOR.validate(deep, OPEN))
                .isInstanceOfSatisfying(
                        Rejected.class, r -> assertThat(r.reason()).isEqualTo(Reason.MALFORMED));
        assertThat(VALIDATOR.validate(Json.mapper().writeValueAsBytes(pageView()), OPEN))
                .isInstanceOfSatisfying(
                        EventValidator.Accepted.class,
                        a -> assertThat(a.event()).isEqualTo(accept(pageView())));
    }

    /** Whatever is accepted can be written, read, hashed and keyed: nothing is refused after the acknowledgement. */
    @Test
    void whatIsAcceptedStaysAcceptable() {
        int accepted = 0;
        for (long seed = 1; seed <= 2_000; seed++) {
            var event = pageView();
            event.put("event_type", "made_up");
            event.setAll(new RandomTrees(seed).object());
            if (VALIDATOR.validate(event, OPEN)
                    instanceof EventValidator.Accepted(var canonical, var own)) {
                accepted++;
                var back = CanonicalEvent.fromJson(canonical.toJson());
                assertThat(back.contentHash())
                        .as("seed %d", seed)
                        .isEqualTo(canonical.contentHash());
                assertThat(back.partitionKey("t")).isEqualTo(canonical.partitionKey("t"));
            }
        }
        assertThat(accepted).isGreaterThan(1_000);
    }

    @Test
    void rulesRejectBadValuesByName() {
        assertThatThrownBy(() -> new Rules(false, false, 0, RECEIVED, "/http"))
                .hasMessageContaining("maxEventBytes")
                .hasMessageContaining("0");
        assertThatThrownBy(() -> new Rules(false, false, 1, RECEIVED, " "))
                .hasMessageContaining("source");
    }

    private static JsonNode nested(int levels) {
        var event = pageView();
        event.putObject("metadata").set("deep", arrays(levels));
        return event;
    }

    private static JsonNode arrays(int levels) {
        var node = JsonNodeFactory.instance.arrayNode();
        for (int i = 1; i < levels; i++) {
            var outer = JsonNodeFactory.instance.arrayNode();
            outer.add(node);
            node = outer;
        }
        return node;
    }
}
