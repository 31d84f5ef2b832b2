package io.mirante.alert.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.alert.metrics.MinuteSums.Bucket;
import io.mirante.alert.metrics.MinuteSums.Series;
import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.messaging.PoisonException;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MeasureEventsTest {

    private static final Instant NOW = Instant.parse("2026-01-01T12:00:30Z");

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final MeasureEvents measure =
            new MeasureEvents(new MinuteSums(), Clock.systemUTC(), meters);

    private static CleanEvent event(String type, Instant at, String data) {
        return new CleanEvent(
                "t",
                "e",
                type,
                "support",
                null,
                null,
                null,
                at,
                at,
                0,
                Json.mapper().readTree(data),
                Json.mapper().readTree("{}"),
                Json.mapper().readTree("{}"));
    }

    private static Bucket bucket(String minute, String metric, String channel) {
        return new Bucket("t", Instant.parse(minute), new Series(metric, "", channel, ""));
    }

    @Test
    void sumsByMinuteOfTheEventsOwnTimeAndDimensions() {
        var additions =
                measure.additions(
                        List.of(
                                event(
                                        "ticket.created",
                                        Instant.parse("2026-01-01T11:59:59.999Z"),
                                        "{\"channel\":\"email\"}"),
                                event(
                                        "ticket.created",
                                        Instant.parse("2026-01-01T12:00:00Z"),
                                        "{\"channel\":\"email\"}"),
                                event("ticket.created", NOW, "{\"channel\":\"email\"}"),
                                event("ticket.created", NOW, "{}"),
                                event(
                                        "purchase",
                                        NOW,
                                        "{\"amount\":\"10.50\",\"currency\":\"USD\"}"),
                                event(
                                        "purchase",
                                        NOW,
                                        "{\"amount\":\"0.25\",\"currency\":\"EUR\"}")),
                        NOW);
        assertThat(additions)
                .containsEntry(
                        bucket("2026-01-01T11:59:00Z", "ticket.volume", "email"), BigDecimal.ONE)
                .containsEntry(
                        bucket("2026-01-01T12:00:00Z", "ticket.volume", "email"), BigDecimal.TWO)
                .containsEntry(bucket("2026-01-01T12:00:00Z", "ticket.volume", ""), BigDecimal.ONE)
                .containsEntry(
                        bucket("2026-01-01T12:00:00Z", "commerce.purchases", ""), BigDecimal.TWO)
                .containsEntry(
                        bucket("2026-01-01T12:00:00Z", "commerce.revenue", ""),
                        new BigDecimal("10.75"));
    }

    @Test
    void skipsAndCountsWhatIsInNoWindow() {
        var kept =
                measure.additions(
                        List.of(
                                event("click", NOW.minus(MinuteSums.KEPT), "{}"),
                                event("click", NOW.plus(MinuteSums.AHEAD), "{}")),
                        NOW);
        assertThat(kept.keySet())
                .filteredOn(b -> b.series().metric().equals("web.clicks"))
                .hasSize(2);
        var skipped =
                measure.additions(
                        List.of(
                                event("click", NOW.minus(MinuteSums.KEPT).minusMillis(1), "{}"),
                                event("click", NOW.plus(MinuteSums.AHEAD).plusMillis(1), "{}")),
                        NOW);
        assertThat(skipped).isEmpty();
        assertThat(meters.counter("mirante.alert.events.out.of.time").count()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{\"tenant_id\":\"t\",\"event_type\":\"click\",\"person_no\":0}",
                "{\"tenant_id\":\"t\",\"event_type\":\"purchase\",\"person_no\":0,\"occurred_at\":\"2026-01-01T12:00:00Z\",\"data\":{\"amount\":1e400},\"context\":{}}",
                "{\"tenant_id\":\"t\",\"event_type\":\"purchase\",\"person_no\":0,\"occurred_at\":\"2026-01-01T12:00:00Z\",\"data\":{\"amount\":1e-400000},\"context\":{}}"
            })
    void whatWouldBreakItsNeighboursIsPoison(String json) {
        assertThatThrownBy(() ->
                        CleanEventsBinding.checked(Json.mapper().readValue(json, CleanEvent.class)))
                .isInstanceOf(PoisonException.class);
    }
}
