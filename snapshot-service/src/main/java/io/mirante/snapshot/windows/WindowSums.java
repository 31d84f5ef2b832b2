package io.mirante.snapshot.windows;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.RunEnded;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.contracts.metrics.Measurement;
import io.mirante.contracts.metrics.MetricCatalog;
import io.mirante.contracts.metrics.RunMetrics;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Sums up what events and ends of runs add, hour by hour and day by day of their own time. Plain sums: any order and any split into polls
 * gives the same. Not thread-safe.
 */
final class WindowSums {

    private final Function<String, TenantSettings> tenants;
    private final TreeMap<Window, SortedMap<String, BigDecimal>> sums = new TreeMap<>();
    private final Map<Map<String, String>, String> texts = new HashMap<>();

    /**
     * Nothing yet.
     *
     * @param tenants a tenant's settings: whose hours and days, and the currency of amounts that name none
     */
    WindowSums(Function<String, TenantSettings> tenants) {
        this.tenants = tenants;
    }

    void add(CleanEvent event) {
        var tenant = tenants.apply(event.tenantId());
        add(
                event.tenantId(),
                event.occurredAt(),
                tenant.zone(),
                MetricCatalog.measure(event, tenant.currency()));
    }

    void add(RunEnded run) {
        add(
                run.tenantId(),
                run.endedAt(),
                tenants.apply(run.tenantId()).zone(),
                RunMetrics.measure(run));
    }

    private void add(String tenant, Instant at, ZoneId zone, List<Measurement> measurements) {
        for (var granularity : Granularity.values()) {
            var start = granularity.startOf(at, zone);
            var end = granularity.endOf(at, zone);
            for (var measured : measurements) {
                var dimensions = texts.computeIfAbsent(measured.dimensions(), Window::text);
                sums.computeIfAbsent(
                                new Window(
                                        tenant,
                                        measured.scope(),
                                        granularity,
                                        start,
                                        end,
                                        dimensions),
                                w -> new TreeMap<>())
                        .merge(measured.metric(), measured.value(), BigDecimal::add);
            }
        }
    }

    /** Metric to sum by window, in the order of the windows' keys. */
    SortedMap<Window, SortedMap<String, BigDecimal>> sums() {
        return Collections.unmodifiableSortedMap(sums);
    }
}
