package io.mirante.snapshot.windows;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.events.EventType;
import io.mirante.contracts.events.EventTypes;
import io.mirante.contracts.events.Module;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.QueryTimes;
import io.mirante.snapshot.CountedUpTo;
import io.r2dbc.spi.Readable;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code GET /api/v1/snapshots/events/{id}}: the snapshots' part of an event's trace. */
@RestController
class EventWindowsController {

    private static final TypeReference<Map<String, String>> TEXTS = new TypeReference<>() {};

    private final TenantDatabase database;
    private final Tenants tenants;
    private final CountedUpTo countedUpTo;

    EventWindowsController(TenantDatabase database, Tenants tenants, CountedUpTo countedUpTo) {
        this.database = database;
        this.tenants = tenants;
        this.countedUpTo = countedUpTo;
    }

    /**
     * Where an event counts.
     *
     * @param counted whether it is counted yet
     * @param windows those it is counted in; empty when it is not, or measures nothing
     * @param asOf every event accepted before it is counted
     */
    record CountedIn(String eventId, boolean counted, List<Place> windows, Instant asOf) {
        CountedIn {
            windows = List.copyOf(windows);
        }
    }

    /** One window, and the metrics the event added to. */
    record Place(
            String scope,
            String granularity,
            Instant start,
            Instant end,
            Map<String, String> dimensions,
            List<String> metrics) {
        Place {
            dimensions = Map.copyOf(dimensions);
            metrics = List.copyOf(metrics);
        }
    }

    @GetMapping("/api/v1/snapshots/events/{id}")
    @PreAuthorize("hasAnyAuthority('SCOPE_analytics.view', 'SCOPE_ingest', 'SCOPE_internal')")
    @Operation(summary = "Tell in which windows an event is counted")
    Mono<CountedIn> show(
            @PathVariable String id,
            @RequestParam(name = "occurred_at") String occurredAt,
            Caller caller) {
        var at = QueryTimes.required("occurred_at", occurredAt);
        return countedUpTo
                .now()
                .flatMap(until ->
                        database.one(caller.tenant(), db -> find(caller.tenant(), id, at, db))
                                .map(event -> new CountedIn(id, true, windows(event), until))
                                .defaultIfEmpty(new CountedIn(id, false, List.of(), until)));
    }

    private static Mono<CleanEvent> find(
            String tenant, String id, Instant occurredAt, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT event_type, person_no, occurred_at, received_at, user_id, anonymous_id, session_id,
                            country, device, data::text
                        FROM behaviour_event WHERE tenant_id = $1 AND occurred_at = $2 AND event_id = $3 LIMIT 1\
                        """)
                .bind(0, tenant)
                .bind(1, occurredAt)
                .bind(2, id)
                .map(row -> event(tenant, id, row))
                .one();
    }

    /** The event as far as windows depend on it. */
    private static CleanEvent event(String tenant, String id, Readable row) {
        var type = Objects.requireNonNull(row.get(0, String.class));
        var context = JsonNodeFactory.instance.objectNode();
        context.putObject("location").put("country", row.get(7, String.class));
        context.putObject("device").put("device_type", row.get(8, String.class));
        return new CleanEvent(
                tenant,
                id,
                type,
                module(EventTypes.find(type)),
                row.get(4, String.class),
                row.get(5, String.class),
                row.get(6, String.class),
                Objects.requireNonNull(row.get(2, Instant.class)),
                Objects.requireNonNull(row.get(3, Instant.class)),
                Objects.requireNonNull(row.get(1, Long.class)),
                Json.mapper().readTree(Objects.requireNonNull(row.get(9, String.class))),
                JsonNodeFactory.instance.objectNode(),
                context);
    }

    private static String module(@Nullable EventType type) {
        return (type == null ? Module.CUSTOM : type.module()).wireName();
    }

    private List<Place> windows(CleanEvent event) {
        var sums = new WindowSums(tenants::settings);
        sums.add(event);
        return sums.sums().entrySet().stream()
                .map(w ->
                        new Place(
                                w.getKey().scope(),
                                w.getKey().granularity().wireName(),
                                w.getKey().start(),
                                w.getKey().end(),
                                Json.mapper().readValue(w.getKey().dimensions(), TEXTS),
                                List.copyOf(w.getValue().keySet())))
                .toList();
    }
}
