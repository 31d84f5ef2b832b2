package io.mirante.ingestion.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.events.EventTypes;
import io.mirante.contracts.events.EventValidator;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class SegmentEventsTest {

    private static final EventValidator.Rules RULES =
            new EventValidator.Rules(
                    false, false, 65_536, Instant.parse("2026-11-20T10:00:00Z"), "/segment");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "Order Completed | {'revenue': 35.14, 'total': 40} | purchase | {'amount': 35.14}",
                "order_completed | {'total': '40.00'} | purchase | {'amount': '40.00'}",
                "orderCompleted | {'value': 5} | purchase | {'amount': 5}",
                "ORDER COMPLETED | {'amount': 1, 'revenue': 2} | purchase | {'amount': 1}",
                "Order Refunded | {'total': 3, 'orderId': 'o1'} | refund | {'amount': 3, 'order_id': 'o1'}",
                "Product Viewed | {'product_id': 'p1'} | product_view | {'product_id': 'p1'}",
                "Product Viewed | {'sku': 'p1'} | product_view | {'product_id': 'p1'}",
                "Product Added | {'productId': 7, 'quantity': 2} | add_to_cart | {'product_id': 7, 'quantity': 2}",
                "Product Removed | {'product_id': 'p'} | remove_from_cart | {'product_id': 'p'}",
                "Checkout Started | {'revenue': 9} | checkout_started | {'amount': 9}",
                "Products Searched | {'query': 'azul'} | search | {'query': 'azul'}",
                "Signed Up | {} | sign_up | {}",
                "Signed In | {} | login | {}",
                "Purchase | {'revenue': 2} | purchase | {'amount': 2}",
                "Song Played | {'title': 'x'} | song_played | {'title': 'x'}",
            })
    void trackedNamesOfSegmentsSpecificationsAreTypesOfMirante(
            String event, String properties, String type, String data) {
        var accepted =
                accept(
                        Call.TRACK,
                        "{'event': '%s', 'properties': %s, 'userId': 'u'}",
                        event,
                        properties);
        assertThat(accepted.eventType()).isEqualTo(type);
        json(data)
                .properties()
                .forEach(expected ->
                        assertThat(accepted.data().get(expected.getKey()))
                                .isEqualTo(expected.getValue()));
    }

    @Test
    void everyTypeThatANameBecomesIsKnown() {
        assertThat(TrackedNames.TYPES.values()).allMatch(type -> EventTypes.find(type) != null);
        assertThat(TrackedNames.TYPES.keySet())
                .allMatch(name -> EventTypes.canonicalName(name).equals(name));
    }

    @Test
    void anOrderWithoutAnAmountKeepsItsNameAndProperties() {
        var accepted =
                accept(
                        Call.TRACK,
                        "{'event': 'Order Completed', 'properties': {'orderId': 'o'}, 'userId': 'u'}");
        assertThat(accepted.eventType()).isEqualTo("order_completed");
        assertThat(accepted.data()).isEqualTo(json("{'orderId': 'o'}"));
    }

    @Test
    void productsOfAnOrderAreItsItems() {
        var accepted =
                accept(
                        Call.TRACK,
                        "{'event': 'Order Completed', 'userId': 'u', 'properties':"
                                + " {'revenue': 3, 'products': [{'product_id': 'a', 'price': 1.5, 'quantity': 2}]}}");
        assertThat(accepted.data().path("items").path(0).path("product_id").asString())
                .isEqualTo("a");
        assertThat(accepted.data().has("products")).isFalse();
    }

    @Test
    void idsTimeAndContextGetMirantesNames() {
        var accepted =
                accept(
                        Call.PAGE,
                        """
                        {'messageId': 'm1', 'userId': 17, 'anonymousId': 'anon', 'name': 'Home',
                         'timestamp': '2026-11-20T09:00:00.123Z', 'sentAt': '2026-11-20T09:00:01Z', 'writeKey': 'secret-key',
                         'integrations': {'All': true}, 'channel': 'web',
                         'properties': {'url': 'https://shop.example/a'},
                         'context': {'ip': '192.0.2.7', 'userAgent': 'Mozilla/5.0', 'timezone': 'America/Sao_Paulo',
                                     'sessionId': 1700000000, 'device': {'type': 'ios', 'model': 'x'}, 'os': {'name': 'iOS'},
                                     'page': {'referrer': 'https://search.example/', 'title': 'Início'},
                                     'library': {'name': 'analytics.js'}}}
                        """);
        assertThat(accepted.eventId()).isEqualTo("m1");
        assertThat(accepted.userId()).isEqualTo("17");
        assertThat(accepted.anonymousId()).isEqualTo("anon");
        assertThat(accepted.sessionId()).isEqualTo("1700000000");
        assertThat(accepted.timestampAsGiven()).isEqualTo("2026-11-20T09:00:00.123Z");
        assertThat(accepted.eventType()).isEqualTo("page_view");
        assertThat(accepted.data())
                .isEqualTo(
                        json(
                                "{'url': 'https://shop.example/a', 'name': 'Home', 'title': 'Início'}"));
        var context = accepted.context();
        assertThat(context.path("location"))
                .isEqualTo(json("{'timezone': 'America/Sao_Paulo', 'ip_address': '192.0.2.7'}"));
        assertThat(context.path("device"))
                .isEqualTo(
                        json("{'type': 'ios', 'model': 'x', 'device_type': 'ios', 'os': 'iOS'}"));
        assertThat(context.path("user_agent").asString()).isEqualTo("Mozilla/5.0");
        assertThat(context.path("referrer").asString()).isEqualTo("https://search.example/");
        assertThat(context.path("library").path("name").asString()).isEqualTo("analytics.js");
        assertThat(context.has("ip")).isFalse();
        assertThat(accepted.metadata().path("integrations").path("All").booleanValue()).isTrue();
        assertThat(accepted.metadata().path("segment"))
                .isEqualTo(json("{'call': 'page', 'channel': 'web'}"));
        assertThat(accepted.toTree().toString()).doesNotContain("secret-key");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'name': 'Home'} | Home",
                "{'name': 'Home', 'context': {'page': {'path': '/p'}}} | /p",
                "{'name': 'Home', 'properties': {'path': '/q'}} | /q",
            })
    void aPageWithoutUrlIsKnownByItsPathElseItsName(String page, String url) {
        var given = json(page).deepCopy().asObject().put("userId", "u");
        var event = SegmentEvents.of(Call.PAGE, given, json("{}"));
        assertThat(event.path("event_type").path("data").path("url").asString()).isEqualTo(url);
    }

    @Test
    void identifyGroupAndAliasSayWhoIsWho() {
        var identify =
                accept(
                        Call.IDENTIFY,
                        "{'userId': 'u', 'anonymousId': 'a', 'traits': {'plan': 'gold'}}");
        assertThat(identify.eventType()).isEqualTo("identify");
        assertThat(identify.data()).isEqualTo(json("{'traits': {'plan': 'gold'}}"));

        var group = accept(Call.GROUP, "{'userId': 'u', 'groupId': 'g', 'traits': {'size': 3}}");
        assertThat(group.data()).isEqualTo(json("{'group_id': 'g', 'group_traits': {'size': 3}}"));

        var alias = accept(Call.ALIAS, "{'userId': 'u', 'previousId': 7}");
        assertThat(alias.data()).isEqualTo(json("{'previous_id': '7'}"));

        var screen = accept(Call.SCREEN, "{'userId': 'u', 'name': 'Cart', 'properties': {'n': 1}}");
        assertThat(screen.eventType()).isEqualTo("screen_view");
        assertThat(screen.data()).isEqualTo(json("{'n': 1, 'name': 'Cart'}"));
    }

    @Test
    void aBatchLendsItsCallsContextIntegrationsAndSendingTime() {
        var batch =
                json(
                        "{'sentAt': '2026-11-20T09:00:01Z', 'context': {'ip': '192.0.2.1', 'app': {'name': 'x'}},"
                                + " 'integrations': {'All': false}}");
        var event =
                SegmentEvents.ofBatch(
                        json(
                                "{'type': 'track', 'event': 'x', 'userId': 'u', 'context': {'ip': '192.0.2.2'}}"),
                        batch);
        assertThat(event.path("sent_at").asString()).isEqualTo("2026-11-20T09:00:01Z");
        assertThat(event.path("context").path("location").path("ip_address").asString())
                .isEqualTo("192.0.2.2");
        assertThat(event.path("context").path("app").path("name").asString()).isEqualTo("x");
        assertThat(event.path("metadata").path("integrations").path("All").booleanValue())
                .isFalse();
    }

    @Test
    void whatIsMissingIsLeftToTheValidator() {
        var around = json("{}");
        for (var bad :
                new String[] {
                    "{'type': 'track', 'userId': 'u'}",
                    "{'type': 'dance', 'userId': 'u'}",
                    "{'type': 'track', 'event': 'x'}",
                    "{'type': 'track', 'event': 7, 'userId': 'u'}",
                    "{'type': 'group', 'userId': 'u'}",
                    "{'type': 'alias', 'userId': 'u'}",
                    "'text'",
                    "[]"
                }) {
            assertThat(
                            new EventValidator()
                                    .validate(SegmentEvents.ofBatch(json(bad), around), RULES))
                    .as(bad)
                    .isInstanceOf(EventValidator.Rejected.class);
        }
    }

    private static CanonicalEvent accept(Call call, String text, Object... arguments) {
        var event =
                SegmentEvents.of(
                        call,
                        json(arguments.length == 0 ? text : text.formatted(arguments)),
                        json("{}"));
        var result = new EventValidator().validate(event, RULES);
        assertThat(result).as(event.toString()).isInstanceOf(EventValidator.Accepted.class);
        return ((EventValidator.Accepted) result).event();
    }

    private static JsonNode json(String text) {
        return Json.mapper().readTree(text.replace('\'', '"'));
    }
}
