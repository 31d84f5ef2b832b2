package io.mirante.platform.rebuild;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.platform.web.TimeRange;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a service rebuilds: its derived tables once more, beside those that are shown. A service has one such bean, the tables
 * {@code rebuild} and {@code rebuild_part}, and its function {@code countReplayedEvents} bound to {@code
 * mirante.events.replay}. Thread-safe.
 */
public interface SecondGeneration {

    /** The range in whole days of those by which derived rows are kept. */
    TimeRange wholeDays(String tenant, TimeRange asked);

    /** What else than events the rows follow from, such as the tenant's currency, as one text. */
    String measures(String tenant);

    /** Its tables. The first has one row per event, keyed by tenant and event id, so that an event counts once. */
    List<String> tables();

    /** Counts events, those that have no row yet. */
    Mono<Void> add(List<CleanEvent> events, DatabaseClient stream);

    /** Why the range cannot be rebuilt at all; empty = it can. */
    default Mono<String> refusalToBegin(Rebuild rebuild, DatabaseClient db) {
        return Mono.empty();
    }

    /** Why the swap would lose something, now that all was replayed; empty = it would not. */
    Mono<String> refusalToSwap(Rebuild rebuild, DatabaseClient db);

    /**
     * Makes the range of what is shown equal to this, changing only rows that differ; nobody else changes any meanwhile.
     *
     * @return what was changed, for the job's result
     */
    Mono<ObjectNode> swap(Rebuild rebuild, DatabaseClient db);
}
