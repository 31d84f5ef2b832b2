package io.mirante.contracts.events;

import static io.mirante.contracts.events.Events.accept;
import static io.mirante.contracts.events.Events.json;
import static io.mirante.contracts.events.Events.pageView;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class CanonicalEventTest {

    /** Frozen: stored identities are compared with hashes that older releases computed. */
    @Test
    void theContentHashNeverChanges() {
        var event = accept(EventTypes.sample(EventTypes.find("purchase"), 1));
        assertThat(event.contentHash())
                .isEqualTo("6a3ee94534c68bf36c0b5ee81c92c52cb23e98b6ca2bfa30432a0742c49f0b94");
    }

    @Test
    void hashIsSha256OfCanonicalJson() throws Exception {
        var event = accept(pageView());
        var canonical =
                "{\"anonymous_id\":null,\"data\":{\"url\":\"/products\"},\"session_id\":null,"
                        + "\"timestamp\":\"2026-11-20T10:00:00Z\",\"type\":\"page_view\",\"user_id\":\"u1\"}";
        var digest =
                MessageDigest.getInstance("SHA-256")
                        .digest(canonical.getBytes(StandardCharsets.UTF_8));
        assertThat(event.contentHash()).isEqualTo(HexFormat.of().formatHex(digest));
    }

    @Test
    void bothShapesAreOneEvent() {
        var object = accept(pageView());
        for (var field : new String[] {"payload", "data"}) {
            var string = pageView().put("event_type", "page_view");
            string.putObject(field).put("url", "/products");
            assertThat(accept(string)).isEqualTo(object);
            assertThat(accept(string).contentHash()).isEqualTo(object.contentHash());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'sent_at': '2026-11-20T10:00:05Z'}",
                "{'context': {'device': {'os': 'Linux'}}}",
                "{'metadata': {'a': 1}}",
                "{'event_id': 'another'}",
                "{'something': 'unknown'}",
                "{'priority': 'critical'}",
                "{'module': 'web'}",
                "{'schema_version': 1}",
                "{'session_id': null, 'anonymous_id': null}",
            })
    void hashIgnoresWhatIsNotContent(String changes) {
        var changed = pageView();
        changed.setAll(json(changes));
        assertThat(accept(changed).contentHash()).isEqualTo(accept(pageView()).contentHash());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'user_id': 'u2'}",
                "{'anonymous_id': 'a1'}",
                "{'session_id': 's1'}",
                "{'timestamp': '2026-11-20T10:00:01Z'}",
                "{'timestamp': '2026-11-20T10:00:00.0Z'}",
                "{'timestamp': null}",
                "{'event_type': {'type': 'click', 'data': {'url': '/products'}}}",
                "{'event_type': {'type': 'PageView', 'data': {'url': '/Products'}}}",
                "{'event_type': {'type': 'PageView', 'data': {'url': '/products', 'x': null}}}",
            })
    void hashSeesEveryPartOfTheContent(String changes) {
        var changed = pageView();
        changed.setAll(json(changes));
        assertThat(accept(changed).contentHash()).isNotEqualTo(accept(pageView()).contentHash());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'amount': 1, 'currency': 'USD'} | {'currency':'USD','amount':1}",
                "{'amount': 1} | {'amount': 1.0}",
                "{'amount': 1} | {'amount': 10e-1}",
                "{'amount': 19.90} | {'amount': 19.9}",
                "{'amount': 1, 'x': {'b': [1, 2.50], 'a': 'é'}} | {'x':{'a':'\\u00e9','b':[1.0,2.5]},'amount':1.00}",
            })
    void hashIgnoresOrderWhiteSpaceAndSpelling(String one, String other) {
        assertThat(hashOfPurchase(one)).isEqualTo(hashOfPurchase(other));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'amount': 1} | {'amount': '1'}",
                "{'amount': 1, 'n': 12345678901234567890} | {'amount': 1, 'n': 12345678901234567891}",
                "{'amount': 1, 'n': [1, 2]} | {'amount': 1, 'n': [2, 1]}",
            })
    void hashTellsDifferentDataApart(String one, String other) {
        assertThat(hashOfPurchase(one)).isNotEqualTo(hashOfPurchase(other));
    }

    @Test
    void hashIsTheSameForDoublesAndDecimals() {
        var text =
                "{\"event_id\":\"e\",\"user_id\":\"u\",\"event_type\":\"purchase\",\"data\":{\"amount\":19.90}}";
        assertThat(accept(JsonMapper.shared().readTree(text)).contentHash())
                .isEqualTo(accept(Json.mapper().readTree(text)).contentHash());
    }

    @Test
    void randomDataComesBackUnchanged() {
        for (long seed = 1; seed <= 500; seed++) {
            var given = json("{'event_id': 'e', 'anonymous_id': 'a', 'event_type': 'made_up'}");
            given.set("payload", new RandomTrees(seed).object());
            given.set("context", new RandomTrees(seed + 1_000).object());
            // As it comes from the wire: decimals, not doubles.
            var event = accept(Json.mapper().readTree(given.toString()));
            var back = CanonicalEvent.fromJson(event.toJson());
            assertThat(back.toJson()).as("seed %d", seed).isEqualTo(event.toJson());
            assertThat(back.contentHash()).as("seed %d", seed).isEqualTo(event.contentHash());
        }
    }

    @ParameterizedTest
    @CsvSource(
            value = {
                "2026-11-20T10:00:00Z",
                "2026-11-20T07:00:00-03:00",
                "2026-11-20T10:00:00.1234567Z",
                "NULL"
            },
            nullValues = "NULL")
    void keepsTheTimestampAsGiven(String timestamp) {
        var event = accept(pageView().put("timestamp", timestamp));
        assertThat(event.timestampAsGiven()).isEqualTo(timestamp);
        assertThat(CanonicalEvent.fromJson(event.toJson())).isEqualTo(event);
    }

    @Test
    void isWrittenInSnakeCase() {
        var tree =
                Json.mapper()
                        .readTree(
                                accept(pageView().put("sent_at", "2026-11-20T10:00:01Z")).toJson());
        assertThat(tree)
                .isEqualTo(
                        json(
                                """
                                {'event_id': 'e1', 'event_type': 'page_view', 'module': 'web', 'user_id': 'u1',
                                 'anonymous_id': null, 'session_id': null, 'timestamp': '2026-11-20T10:00:00Z',
                                 'priority': 'normal', 'schema_version': 1, 'data': {'url': '/products'},
                                 'metadata': {'sent_at': '2026-11-20T10:00:01Z'}, 'context': {}}\
                                """));
    }

    @Test
    void ignoresFieldsOfANewerRelease() {
        var tree = accept(pageView()).toTree().put("from_the_future", 1);
        assertThat(CanonicalEvent.fromTree(tree)).isEqualTo(accept(pageView()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense",
                "null",
                "[]",
                "{}",
                "{\"event_id\": 1}",
                "{\"a\":1} {\"b\":2}"
            })
    void refusesWhatIsNoCanonicalEvent(String json) {
        assertThatThrownBy(() -> CanonicalEvent.fromJson(json.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("not a canonical event");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "event_id",
                "event_type",
                "module",
                "timestamp",
                "schema_version",
                "data",
                "metadata",
                "context"
            })
    void refusesACanonicalEventWithoutOneOfItsParts(String part) {
        var tree = accept(pageView()).toTree();
        tree.remove(part);
        assertThatThrownBy(() -> CanonicalEvent.fromTree(tree))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(part);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'user_id': 'u', 'anonymous_id': 'a', 'event_type': 'login'} | t\\nu | u",
                "{'anonymous_id': 'a', 'event_type': 'login'} | t\\na | a",
                "{'event_type': 'conversation.created', 'data': {'conversation_id': 'c', 'channel': 'x'}} | t\\nconversation_id\\nc | c",
                "{'event_type': 'message.sent', 'user_id': 'u', 'data': {'conversation_id': 7}} | t\\nconversation_id\\n7 | u",
                "{'event_type': 'ticket.created', 'data': {'ticket_id': 'k', 'conversation_id': 'c'}} | t\\nticket_id\\nk | k",
                "{'event_type': 'csat.submitted', 'data': {'score': 5, 'conversation_id': 'c'}} | t\\nconversation_id\\nc | c",
                "{'event_type': 'automation.failed', 'data': {'automation_id': 'f'}} | t\\nautomation_id\\nf | f",
                "{'event_type': 'channel.health_changed', 'data': {'channel': 'w', 'status': 'down'}} | t\\nchannel\\nw | w",
                "{'event_type': 'knowledge.article_viewed', 'data': {'article_id': 'r'}} | t\\narticle_id\\nr | r",
                "{'event_type': 'agent.status_changed', 'data': {'agent': 'g', 'status': 'away'}} | t\\nagent\\ng | g",
                "{'event_type': 'ticket.escalated', 'module': 'tickets', 'data': {'ticket_id': 'k'}} | t\\nticket_id\\nk | k",
                "{'event_type': 'core.error', 'event_id': 'e', 'data': {'message': 'm'}} | t\\ne | ",
                "{'event_type': 'core.error', 'user_id': 'u', 'data': {'message': 'm'}} | t\\nu | u",
            })
    void keepsInOrderWhatBelongsTogether(String event, String key, String subject) {
        var canonical = accept(json(event));
        assertThat(canonical.partitionKey("t")).isEqualTo(key.replace("\\n", "\n"));
        assertThat(canonical.subject()).isEqualTo(subject);
    }

    @Test
    void aTicketsEventsShareAKeyWhateverElseTheyName() {
        var created =
                accept(
                        json(
                                "{'event_type': 'ticket.created', 'user_id': 'u', 'data': {'ticket_id': 'k', 'conversation_id': 'c'}}"));
        var resolved =
                accept(json("{'event_type': 'ticket.resolved', 'data': {'ticket_id': 'k'}}"));
        assertThat(created.partitionKey("t")).isEqualTo(resolved.partitionKey("t"));
    }

    @Test
    void masksMakeAnotherHash() {
        var event = accept(pageView());
        var masked = event.withData(Json.mapper().createObjectNode().put("url", "***"));
        assertThat(masked.contentHash()).isNotEqualTo(event.contentHash());
        assertThat(
                        event.withContext(Json.mapper().createObjectNode())
                                .withMetadata(event.metadata()))
                .isEqualTo(event);
    }

    @Test
    void validatesItsParts() {
        var object = Json.mapper().createObjectNode();
        var now = Instant.EPOCH;
        assertThatThrownBy(() ->
                        new CanonicalEvent(
                                " ", "a", "web", null, null, null, now, null, false, 1, object,
                                object, object))
                .hasMessageContaining("eventId");
        assertThatThrownBy(() ->
                        new CanonicalEvent(
                                "e", "a", "web", null, null, null, now, null, false, 0, object,
                                object, object))
                .hasMessageContaining("schemaVersion");
        assertThatThrownBy(() ->
                        new CanonicalEvent(
                                "e",
                                "a",
                                "web",
                                null,
                                null,
                                null,
                                now,
                                null,
                                false,
                                1,
                                Json.mapper().createArrayNode(),
                                object,
                                object))
                .hasMessageContaining("data");
    }

    private static String hashOfPurchase(String data) {
        var event = json("{'event_id': 'e', 'user_id': 'u', 'event_type': 'purchase'}");
        event.set("payload", json(data));
        return accept(event).contentHash();
    }
}
