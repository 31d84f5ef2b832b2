package io.mirante.bench.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RecountTest {
    private static final Instant T = Instant.parse("2026-11-01T10:00:00Z");
    private final Recount recount = new Recount();
    private int ids;

    private SimulatedEvent event(String user, String type, Duration after) {
        Instant at = T.plus(after);
        return new SimulatedEvent(
                at,
                Fate.VALID,
                "e" + ids++,
                type,
                at,
                user,
                null,
                Map.of("payload", Map.of("amount", "10.50")));
    }

    @Test
    void aRepeatedIdCountsOnceAndAnInvalidEventNever() {
        SimulatedEvent purchase = event("u", "purchase", Duration.ZERO);
        recount.add(purchase);
        recount.add(purchase.again(T.plusSeconds(5)));
        recount.add(
                new SimulatedEvent(T, Fate.INVALID, "bad", "purchase", T, null, null, Map.of()));

        assertThat(recount.sent()).isEqualTo(3);
        assertThat(recount.accepted()).isEqualTo(2);
        assertThat(recount.stored()).isEqualTo(1);
        assertThat(recount.revenue()).isEqualByComparingTo("10.50");
    }

    @Test
    void frequencyCountsDaysAndMonetaryCountsPurchases() {
        recount.add(event("u", "purchase", Duration.ZERO));
        recount.add(event("u", "purchase", Duration.ofHours(2)));
        recount.add(event("u", "purchase", Duration.ofDays(3)));

        Recount.Purchases purchases = recount.purchases().get("u");
        assertThat(purchases.frequency()).isEqualTo(2);
        assertThat(purchases.orders()).isEqualTo(3);
        assertThat(purchases.monetary()).isEqualByComparingTo(new BigDecimal("31.50"));
        assertThat(purchases.last()).isEqualTo(LocalDate.parse("2026-11-04"));
    }

    @Test
    void theWindowOfAFunnelIncludesItsEnd() {
        Duration window = Duration.ofHours(1);
        recount.add(event("in", "page_view", Duration.ZERO));
        recount.add(event("in", "purchase", window));
        recount.add(event("out", "page_view", Duration.ZERO));
        recount.add(event("out", "purchase", window.plusMillis(1)));

        assertThat(recount.funnel(List.of("page_view", "purchase"), window)).containsExactly(2, 1);
    }

    @Test
    void aLaterStartThatGetsFurtherWins() {
        recount.add(event("u", "page_view", Duration.ZERO));
        recount.add(event("u", "page_view", Duration.ofHours(5)));
        recount.add(event("u", "purchase", Duration.ofHours(5).plusMinutes(1)));

        assertThat(recount.funnel(List.of("page_view", "purchase"), Duration.ofHours(1)))
                .containsExactly(1, 1);
    }

    @Test
    void aStepBeforeItsPredecessorDoesNotCountButOneAtTheSameInstantDoes() {
        recount.add(event("early", "purchase", Duration.ZERO));
        recount.add(event("early", "page_view", Duration.ofSeconds(1)));
        recount.add(event("same", "page_view", Duration.ZERO));
        recount.add(event("same", "purchase", Duration.ZERO));

        assertThat(recount.funnel(List.of("page_view", "purchase"), Duration.ofHours(1)))
                .containsExactly(2, 1);
    }
}
