package io.mirante.contracts.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.events.EventType;
import io.mirante.contracts.events.EventTypes;
import io.mirante.contracts.events.EventValidator;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class MetricCatalogTest {
    private static final Instant NOW = Instant.parse("2026-11-20T10:00:00Z");

    private static CleanEvent event(String type, String data) {
        return event(type, data, "{}");
    }

    private static CleanEvent event(String type, String data, String context) {
        var mapper = Json.mapper();
        return new CleanEvent(
                "demo",
                "e",
                type,
                "m",
                "u",
                null,
                null,
                NOW,
                NOW,
                1,
                mapper.readTree(data.replace('\'', '"')),
                mapper.createObjectNode(),
                mapper.readTree(context.replace('\'', '"')));
    }

    /** scope.metric → value, without the count of all events. */
    private static Map<String, String> measured(CleanEvent event) {
        return MetricCatalog.measure(event).stream()
                .filter(m -> !m.scope().equals("event"))
                .collect(
                        Collectors.toMap(
                                m -> m.scope() + "." + m.metric(), m -> m.value().toPlainString()));
    }

    /** Erased, an event is counted again by a rebuild: in the same places, unless they are named by an id. */
    @ParameterizedTest
    @MethodSource("types")
    void whatIsLeftOfAnErasedPersonsEventMeasuresTheSame(EventType type) {
        var sample = EventTypes.sample(type, type.currentVersion());
        var data =
                sample.has("payload")
                        ? sample.path("payload")
                        : sample.path("event_type").path("data");
        var event =
                event(
                        type.name(),
                        data.toString(),
                        "{'location': {'country': 'BR', 'city': 'X'}, 'device': {'device_type': 'tablet', 'model': 'zz'}}");
        var named =
                type.name().equals("csat.submitted")
                        ? Set.of("agent", "conversation", "ticket")
                        : Set.of("agent", "automation_flow", "knowledge_article", "core");
        assertThat(places(event.withoutPerson(), named)).isEqualTo(places(event, named));
        assertThat(event.withoutPerson().context().toString()).doesNotContain("city", "zz");
    }

    private static Set<String> places(CleanEvent event, Set<String> except) {
        return MetricCatalog.measure(event, "USD").stream()
                .filter(m -> !except.contains(m.scope()))
                .map(Object::toString)
                .collect(Collectors.toSet());
    }

    static Collection<EventType> types() {
        return EventTypes.all();
    }

    @ParameterizedTest
    @MethodSource("types")
    void everyTypesSampleIsCountedOnce(EventType type) {
        var verdict =
                new EventValidator()
                        .validate(
                                EventTypes.sample(type, 1),
                                new EventValidator.Rules(false, false, 65_536, NOW, "/http"));
        var canonical = ((EventValidator.Accepted) verdict).event();
        var clean =
                new CleanEvent(
                        "demo",
                        canonical.eventId(),
                        canonical.eventType(),
                        canonical.module(),
                        canonical.userId(),
                        canonical.anonymousId(),
                        canonical.sessionId(),
                        canonical.occurredAt(),
                        NOW,
                        0,
                        canonical.data(),
                        canonical.metadata(),
                        canonical.context());
        var measurements = MetricCatalog.measure(clean, "USD");
        assertThat(measurements)
                .extracting(m -> m.scope() + "." + m.metric())
                .doesNotHaveDuplicates()
                .contains("event.events");
        for (var measurement : measurements) {
            assertThat(MetricCatalog.find(measurement.scope() + "." + measurement.metric()))
                    .hasSize(1);
            assertThat(MetricCatalog.dimensions(measurement.scope()))
                    .containsAll(measurement.dimensions().keySet());
        }
        var listed =
                MetricCatalog.entries().stream()
                        .filter(e ->
                                e.eventTypes().contains(type.name())
                                        && !e.scope().equals("channel")
                                        && !e.scope().equals("agent")
                                        && !e.name().contains("csat")
                                        && !e.name().contains("handle")
                                        && !e.name().contains("first_response"))
                        .map(e -> e.scope() + "." + e.name());
        assertThat(measurements)
                .extracting(m -> m.scope() + "." + m.metric())
                .containsAll(listed.toList());
    }

    @Test
    void purchasesAddUpPerCurrency() {
        var measurements =
                MetricCatalog.measure(event("purchase", "{'amount': '35.14', 'currency': 'usd'}"));
        assertThat(measurements)
                .contains(
                        new Measurement(
                                "commerce", Map.of("currency", "USD"), "purchases", BigDecimal.ONE),
                        new Measurement(
                                "commerce",
                                Map.of("currency", "USD"),
                                "revenue",
                                new BigDecimal("35.14")));
    }

    @Test
    void anAmountWithoutCurrencyIsInTheTenantsOwn() {
        var event = event("purchase", "{'amount': 0}");
        assertThat(MetricCatalog.measure(event, "BRL"))
                .contains(
                        new Measurement(
                                "commerce", Map.of("currency", "BRL"), "revenue", BigDecimal.ZERO));
        assertThat(MetricCatalog.measure(event))
                .contains(new Measurement("commerce", Map.of(), "revenue", BigDecimal.ZERO));
        assertThat(MetricCatalog.measure(event("product_view", "{'product_id': 'p'}"), "BRL"))
                .contains(new Measurement("commerce", Map.of(), "product_views", BigDecimal.ONE));
    }

    @Test
    void pageViewsAreGroupedByPlaceAndDevice() {
        assertThat(
                        MetricCatalog.measure(
                                event(
                                        "page_view",
                                        "{'url': '/'}",
                                        "{'device': {'device_type': 'Desktop'}, 'location': {'country': 'br'}}")))
                .containsExactly(
                        new Measurement(
                                "event",
                                Map.of("event_type", "page_view"),
                                "events",
                                BigDecimal.ONE),
                        new Measurement(
                                "web",
                                Map.of("country", "BR", "device_type", "desktop"),
                                "page_views",
                                BigDecimal.ONE));
    }

    @Test
    void aReplyCountsForConversationAndAgent() {
        assertThat(
                        measured(
                                event(
                                        "conversation.first_reply",
                                        "{'conversation_id': 'c', 'agent': 'ana', 'channel': 'whatsapp', 'response_seconds': 42.5}")))
                .isEqualTo(
                        Map.of(
                                "conversation.first_replies", "1",
                                "conversation.first_response_seconds_sum", "42.5",
                                "conversation.first_response_count", "1",
                                "agent.first_replies", "1"));
        assertThat(measured(event("conversation.first_reply", "{'conversation_id': 'c'}")))
                .isEqualTo(Map.of("conversation.first_replies", "1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'score': 4, 'ticket_id': 't', 'conversation_id': 'c'} | ticket",
                "{'score': 4, 'conversation_id': 'c'} | conversation",
                "{'score': 4} | ticket",
            })
    void aScoreBelongsToOneScope(String data, String scope) {
        assertThat(measured(event("csat.submitted", data)))
                .isEqualTo(Map.of(scope + ".csat_sum", "4", scope + ".csat_count", "1"));
    }

    @Test
    void unknownTypesAreCountedAsEvents() {
        assertThat(MetricCatalog.measure(event("level_finished", "{'amount': 5}")))
                .containsExactly(
                        new Measurement(
                                "event",
                                Map.of("event_type", "level_finished"),
                                "events",
                                BigDecimal.ONE));
    }

    @Test
    void oddDataIsSkippedRatherThanWrong() {
        assertThat(measured(event("purchase", "{'amount': 'ten'}")))
                .isEqualTo(Map.of("commerce.purchases", "1"));
        assertThat(measured(event("purchase", "{}"))).isEqualTo(Map.of("commerce.purchases", "1"));
        assertThat(measured(event("channel.health_changed", "{'channel': ''}"))).isEmpty();
        var longName =
                MetricCatalog.measure(
                                event(
                                        "agent.status_changed",
                                        "{'agent': '" + "😀".repeat(300) + "'}"))
                        .getLast();
        assertThat(longName.dimensions().get("agent")).isEqualTo("😀".repeat(200));
    }

    @Test
    void theCatalogueIsConsistent() {
        var names = new HashSet<String>();
        for (var entry : MetricCatalog.entries()) {
            assertThat(names.add(entry.scope() + "." + entry.name())).as("%s", entry).isTrue();
            assertThat(entry.meaning()).isNotBlank();
            assertThat(entry.unit()).isIn("events", "seconds", "currency", "points");
            assertThat(entry.dimensions()).isEqualTo(MetricCatalog.dimensions(entry.scope()));
            for (var type : entry.eventTypes()) {
                if (!type.equals(RunEnded.TYPE)) {
                    assertThat(EventTypes.find(type)).as(type).isNotNull();
                }
            }
        }
        for (var derived : MetricCatalog.derived()) {
            assertThat(names)
                    .contains(
                            derived.scope() + "." + derived.numerator(),
                            derived.scope() + "." + derived.denominator());
            assertThat(names.add(derived.scope() + "." + derived.name()))
                    .as("%s", derived)
                    .isTrue();
        }
        assertThat(MetricCatalog.scopes())
                .containsExactly(
                        "event",
                        "web",
                        "commerce",
                        "fan",
                        "gaming",
                        "conversation",
                        "ticket",
                        "channel",
                        "agent",
                        "automation_flow",
                        "knowledge_article",
                        "core",
                        "etl");
    }

    @Test
    void metricsAreFoundByNameOrScopeAndName() {
        assertThat(MetricCatalog.find("ticket.volume"))
                .singleElement()
                .extracting(MetricEntry::scope)
                .isEqualTo("ticket");
        assertThat(MetricCatalog.find("volume"))
                .extracting(MetricEntry::scope)
                .isEqualTo(List.of("conversation", "ticket"));
        assertThat(MetricCatalog.find("nothing")).isEmpty();
        assertThat(MetricCatalog.findDerived("ticket.sla_breach_rate")).hasSize(1);
    }

    @Test
    void aRatioWithoutDenominatorIsNone() {
        var average = MetricCatalog.findDerived("avg_order_value").getFirst();
        assertThat(average.compute(new BigDecimal("10"), new BigDecimal("4")))
                .isEqualByComparingTo("2.5");
        assertThat(average.compute(BigDecimal.TEN, BigDecimal.ZERO)).isNull();
    }
}
