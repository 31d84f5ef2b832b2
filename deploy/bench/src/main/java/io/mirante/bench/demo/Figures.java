package io.mirante.bench.demo;

import io.mirante.bench.client.MeshClient;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Totals of a mesh over a time range. They add up, so that what others sent into the same mesh can be taken off.
 *
 * @param revenue sum of the daily commerce windows
 * @param funnel people per step
 */
record Figures(long events, long purchases, BigDecimal revenue, List<Long> funnel) {

    /**
     * Reads them.
     *
     * @param funnelTo end of the funnel's range; live events after it would mix people of several runs
     */
    static Figures read(
            MeshClient mesh, Instant from, Instant to, Instant funnelTo, List<String> funnelTypes) {
        JsonNode overview = mesh.overview(from, to);
        BigDecimal revenue = BigDecimal.ZERO;
        long purchases = 0;
        for (JsonNode window : mesh.snapshots("commerce", "daily", from, to)) {
            revenue = revenue.add(MeshClient.decimal(window.path("metrics").path("revenue")));
            purchases += MeshClient.decimal(window.path("metrics").path("purchases")).longValue();
        }
        List<Long> funnel = new ArrayList<>();
        mesh.funnel(funnelTypes, from, funnelTo)
                .path("steps")
                .forEach(step -> funnel.add(step.path("users").asLong(0)));
        return new Figures(
                overview.path("events").path("value").asLong(0), purchases, revenue, funnel);
    }

    Figures minus(Figures other) {
        List<Long> steps = new ArrayList<>();
        for (int i = 0; i < funnel.size(); i++) {
            steps.add(funnel.get(i) - (i < other.funnel.size() ? other.funnel.get(i) : 0));
        }
        return new Figures(
                events - other.events,
                purchases - other.purchases,
                revenue.subtract(other.revenue),
                steps);
    }

    boolean nothing() {
        return events == 0 && purchases == 0 && revenue.signum() == 0;
    }
}
