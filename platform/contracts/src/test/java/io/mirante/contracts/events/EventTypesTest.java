package io.mirante.contracts.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EventTypesTest {

    static List<EventType> types() {
        return List.copyOf(EventTypes.all());
    }

    @ParameterizedTest
    @CsvSource({
        "PageView, page_view",
        "page_view, page_view",
        "Page View, page_view",
        "page-view, page_view",
        "pageView, page_view",
        "PAGE_VIEW, page_view",
        "conversation.firstReply, conversation.first_reply",
        "Conversation.FirstReply, conversation.first_reply",
        "conversation . first reply, conversation.first_reply",
        "HTTPError, http_error",
        "Product2View, product2_view",
        "Clicked Buy Now (50%), clicked_buy_now_50",
        "cart:add, cart_add",
        "__a..b__, a.b",
        "Inscrição, inscrição",
        "???, ''",
    })
    void comparesNamesInSnakeCase(String given, String canonical) {
        assertThat(EventTypes.canonicalName(given)).isEqualTo(canonical);
    }

    @Test
    void canonicalNamesStayAsTheyAre() {
        var random = new Random(7);
        var alphabet = "abAB01._- é😀ÇZ";
        for (int run = 0; run < 20_000; run++) {
            var name = new StringBuilder();
            random.ints(random.nextInt(12), 0, alphabet.codePointCount(0, alphabet.length()))
                    .forEach(i ->
                            name.appendCodePoint(
                                    alphabet.codePointAt(alphabet.offsetByCodePoints(0, i))));
            var canonical = EventTypes.canonicalName(name.toString());
            assertThat(EventTypes.canonicalName(canonical))
                    .as("from %s", name)
                    .isEqualTo(canonical);
        }
    }

    @Test
    void knowsEveryTypeOfTheContract() {
        assertThat(types()).hasSize(48);
        assertThat(types())
                .extracting(EventType::name)
                .allMatch(n -> EventTypes.canonicalName(n).equals(n));
    }

    @ParameterizedTest
    @MethodSource("types")
    void goldenSamplesAreAcceptedAndComeBackFromJson(EventType type) {
        for (int version = 1; version <= type.currentVersion(); version++) {
            var event =
                    Events.accept(
                            EventTypes.sample(type, version), Events.rules(true, true, 65_536));
            assertThat(event.eventType()).isEqualTo(type.name());
            assertThat(event.module()).isEqualTo(type.module().wireName());
            assertThat(event.schemaVersion()).isEqualTo(version);
            assertThat(event.critical()).isEqualTo(type.critical());
            var back = CanonicalEvent.fromJson(event.toJson());
            assertThat(back).isEqualTo(event);
            assertThat(back.contentHash()).isEqualTo(event.contentHash());
            assertThat(event.metadata()).isEqualTo(Json.mapper().createObjectNode());
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void schemasStayOpenForMoreData(EventType type) {
        var sample = EventTypes.sample(type, 1).deepCopy().asObject();
        var data =
                sample.has("payload")
                        ? sample.path("payload")
                        : sample.path("event_type").path("data");
        data.asObject().put("something_new", true);
        assertThat(Events.accept(sample, Events.STRICT).data().has("something_new")).isTrue();
    }

    @ParameterizedTest
    @MethodSource("types")
    void eachRequiredFieldIsRequired(EventType type) {
        for (var required : EventTypes.schema(type, 1).path("required")) {
            var sample = EventTypes.sample(type, 1).deepCopy().asObject();
            boolean payload = sample.has("payload");
            var data = payload ? sample.path("payload") : sample.path("event_type").path("data");
            data.asObject().remove(required.stringValue());
            assertThat(Events.reject(sample).errors())
                    .singleElement()
                    .satisfies(e -> {
                        assertThat(e.code()).isEqualTo("required");
                        assertThat(e.pointer())
                                .isEqualTo(
                                        (payload ? "/payload/" : "/event_type/data/")
                                                + required.stringValue());
                    });
        }
    }

    @Test
    void aheadOfTheRestGoBreachesFailuresAndErrors() {
        assertThat(types())
                .filteredOn(EventType::critical)
                .extracting(EventType::name)
                .containsExactly("ticket.sla_breached", "automation.failed", "core.error");
        assertThat(EventTypes.isCriticalName("payment.failed")).isTrue();
        assertThat(EventTypes.isCriticalName("failed")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "/products, /products",
        "https://shop.example/products?x=1#top, /products",
        "https://shop.example, /",
        "https://shop.example?next=/a/b, /",
        "//cdn.example/a/b, /a/b",
        "/go?to=https://other.example/x, /go",
        "/go/https://other.example/x, /go/https://other.example/x",
        "?page=2, /",
        "/produtos/ação, /produtos/ação",
    })
    void mainPropertyOfAPageIsItsPath(String url, String path) {
        var data = Json.mapper().createObjectNode().put("url", url);
        assertThat(EventTypes.mainProperty("page_view", data)).isEqualTo(path);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "product_view | {'product_id': 7} | 7",
                "product_view | {'product_id': 'sku-7'} | sku-7",
                "search | {'query': 'azul'} | azul",
                "purchase | {'amount': 50.00} | 50",
                "purchase | {'amount': 5e1} | 50",
                "purchase | {'amount': '35.14'} | 35.14",
                "click | {} | ",
                "made_up | {'a': 1} | ",
            })
    void mainPropertyIsTextOfTheTypesOwnField(String type, String data, String expected) {
        assertThat(EventTypes.mainProperty(type, Json.mapper().readTree(data.replace('\'', '"'))))
                .isEqualTo(expected);
    }
}
