package io.mirante.snapshot.windows;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.snapshot.CleanLog;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class WindowSumsTest {

    @Test
    void anEventCountsInTheHourAndDayThatHoldIt() {
        var sums = new WindowSums(TenantSettings::defaults);
        sums.add(CleanLog.event("t", "1", "login", 1, "2026-11-20T10:59:59.999999Z", "{}"));
        sums.add(CleanLog.event("t", "2", "login", 1, "2026-11-20T11:00:00Z", "{}"));
        var logins = new TreeMap<String, BigDecimal>();
        sums.sums()
                .forEach((window, metrics) -> {
                    if (window.scope().equals("event")) {
                        logins.put(
                                window.granularity() + " " + window.start(), metrics.get("events"));
                    }
                });
        assertThat(logins)
                .isEqualTo(
                        Map.of(
                                "HOURLY 2026-11-20T10:00:00Z", BigDecimal.ONE,
                                "HOURLY 2026-11-20T11:00:00Z", BigDecimal.ONE,
                                "DAILY 2026-11-20T00:00:00Z", BigDecimal.TWO));
    }

    @Test
    void daysFollowTheZone() {
        var saoPaulo = ZoneId.of("America/Sao_Paulo");
        var lastOfDay = Instant.parse("2026-11-21T02:59:59Z");
        assertThat(Granularity.DAILY.startOf(lastOfDay, saoPaulo))
                .isEqualTo("2026-11-20T03:00:00Z");
        assertThat(Granularity.DAILY.endOf(lastOfDay, saoPaulo)).isEqualTo("2026-11-21T03:00:00Z");
        assertThat(Granularity.DAILY.startOf(lastOfDay.plusSeconds(1), saoPaulo))
                .isEqualTo("2026-11-21T03:00:00Z");
    }

    @Test
    void aDayOnWhichClocksChangeIsLongerOrShorter() {
        var berlin = ZoneId.of("Europe/Berlin");
        var spring = Instant.parse("2026-03-29T10:00:00Z");
        assertThat(Granularity.DAILY.startOf(spring, berlin)).isEqualTo("2026-03-28T23:00:00Z");
        assertThat(Granularity.DAILY.endOf(spring, berlin)).isEqualTo("2026-03-29T22:00:00Z");
    }

    @Test
    void amountsStayExactAndKeepTheirCurrencies() {
        var sums = new WindowSums(TenantSettings::defaults);
        for (int i = 0; i < 10; i++) {
            sums.add(
                    CleanLog.event(
                            "t",
                            "d" + i,
                            "purchase",
                            1,
                            "2026-11-20T10:00:00Z",
                            "{\"amount\":\"0.10\"}"));
        }
        sums.add(
                CleanLog.event(
                        "t",
                        "e",
                        "purchase",
                        1,
                        "2026-11-20T10:00:00Z",
                        "{\"amount\":5,\"currency\":\"eur\"}"));
        var revenue = new TreeMap<String, BigDecimal>();
        sums.sums()
                .forEach((window, metrics) -> {
                    if (window.scope().equals("commerce")
                            && window.granularity() == Granularity.DAILY) {
                        revenue.put(window.dimensions(), metrics.get("revenue"));
                    }
                });
        assertThat(revenue)
                .isEqualTo(
                        Map.of(
                                "{\"currency\":\"USD\"}", new BigDecimal("1.00"),
                                "{\"currency\":\"EUR\"}", new BigDecimal("5")));
    }

    @Test
    void orderAndSplitDoNotMatter() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var events = new ArrayList<io.mirante.contracts.etl.CleanEvent>();
        for (int i = 0; i < 300; i++) {
            events.add(
                    CleanLog.event(
                            "t" + random.nextInt(3),
                            "e" + i,
                            List.of("purchase", "page_view", "custom").get(random.nextInt(3)),
                            random.nextInt(5),
                            "2026-11-%02dT%02d:00:00Z"
                                    .formatted(1 + random.nextInt(3), random.nextInt(24)),
                            "{\"amount\":%d.%02d}"
                                    .formatted(random.nextInt(50), random.nextInt(100))));
        }
        var whole = new WindowSums(TenantSettings::defaults);
        events.forEach(whole::add);
        Collections.shuffle(events, random);
        var parts = new TreeMap<String, BigDecimal>();
        for (int from = 0; from < events.size(); from += 70) {
            var part = new WindowSums(TenantSettings::defaults);
            events.subList(from, Math.min(events.size(), from + 70)).forEach(part::add);
            flatten(part).forEach((k, v) -> parts.merge(k, v, BigDecimal::add));
        }
        assertThat(parts).as("seed %d", seed).isEqualTo(flatten(whole));
    }

    @Test
    void eachTenantHasItsOwnDaysAndCurrency() {
        var brazil =
                TenantSettings.defaults("br")
                        .patched(
                                Json.mapper()
                                        .readTree(
                                                "{\"timezone\": \"America/Sao_Paulo\", \"currency\": \"BRL\"}"),
                                1);
        var sums =
                new WindowSums(
                        tenant -> tenant.equals("br") ? brazil : TenantSettings.defaults(tenant));
        for (var tenant : List.of("br", "us")) {
            sums.add(
                    CleanLog.event(
                            tenant, "1", "purchase", 1, "2026-11-20T02:59:59Z", "{\"amount\":5}"));
        }
        var days =
                sums.sums().keySet().stream()
                        .filter(w -> w.granularity() == Granularity.DAILY)
                        .filter(w -> w.dimensions().contains("currency"))
                        .map(w ->
                                w.tenant()
                                        + " "
                                        + w.start()
                                        + " "
                                        + w.dimensions()
                                                .replaceAll(".*currency\":\"(...)\".*", "$1"))
                        .distinct()
                        .toList();
        assertThat(days)
                .containsExactly("br 2026-11-19T03:00:00Z BRL", "us 2026-11-20T00:00:00Z USD");
    }

    private static Map<String, BigDecimal> flatten(WindowSums sums) {
        var flat = new TreeMap<String, BigDecimal>();
        sums.sums()
                .forEach((window, metrics) ->
                        metrics.forEach((metric, value) -> flat.put(window + " " + metric, value)));
        return flat;
    }
}
