package io.mirante.contracts.metrics;

import java.util.List;

/**
 * One additive metric of the catalogue.
 *
 * @param scope what it describes
 * @param name unique within the scope
 * @param meaning one sentence
 * @param unit {@code events}, {@code seconds}, {@code currency} or {@code points}
 * @param dimensions by which it can be grouped and filtered
 * @param eventTypes the types that add to it; empty = every type
 */
public record MetricEntry(
        String scope,
        String name,
        String meaning,
        String unit,
        List<String> dimensions,
        List<String> eventTypes) {

    public MetricEntry {
        dimensions = List.copyOf(dimensions);
        eventTypes = List.copyOf(eventTypes);
    }
}
