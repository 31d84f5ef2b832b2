package io.mirante.ingestion.events;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.FieldError;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.BodyShape;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Settled;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/v1/events} and {@code /events/batch}: answered once Kafka has stored what the answer says. */
@RestController
class EventController {

    private final JsonBodies bodies;
    private final EventItems items = new EventItems();
    private final Intake intake;
    private final IngestionSettings settings;
    private final Clock clock;

    EventController(
            JsonBodies bodies,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.bodies = bodies;
        this.intake = new Intake(log, meters, "mirante.ingestion.events");
        this.settings = settings;
        this.clock = clock;
    }

    @PostMapping(path = "/api/v1/events", consumes = MediaType.APPLICATION_JSON_VALUE)
    @PreAuthorize(Scopes.INGEST)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(
            summary = "Take one event",
            requestBody =
                    @RequestBody(
                            required = true,
                            content =
                                    @Content(
                                            mediaType = "application/json",
                                            examples =
                                                    @ExampleObject(
                                                            "{\"event\": {\"user_id\": \"user_001\","
                                                                    + " \"event_type\": {\"type\": \"PageView\","
                                                                    + " \"data\": {\"url\": \"/\"}}}}"))))
    Mono<AcceptedEvent> one(Caller caller, ServerHttpRequest request) {
        return bodies.read(request).flatMap(body -> acceptOne(caller.tenant(), body));
    }

    private Mono<AcceptedEvent> acceptOne(String tenant, JsonNode body) {
        var event = BodyShape.only(body, "event");
        var checked =
                items.check(
                        tenant,
                        event,
                        EventItems.rules(false, settings.maxEventBytes(), clock.instant()));
        return intake.settle(checked.item(), "/event")
                .then(
                        Mono.fromSupplier(
                                () -> new AcceptedEvent(checked.eventId(), Status.ACCEPTED)));
    }

    @PostMapping(path = "/api/v1/events/batch", consumes = MediaType.APPLICATION_JSON_VALUE)
    @PreAuthorize(Scopes.INGEST)
    @Operation(
            summary = "Take up to 5,000 events",
            requestBody =
                    @RequestBody(
                            required = true,
                            content =
                                    @Content(
                                            mediaType = "application/json",
                                            examples =
                                                    @ExampleObject(
                                                            "{\"events\": [{\"event_id\": \"evt_1\","
                                                                    + " \"user_id\": \"user_001\","
                                                                    + " \"event_type\": \"login\"}]}"))))
    Mono<ResponseEntity<BatchAnswer>> batch(
            Caller caller,
            ServerHttpRequest request,
            @RequestParam(defaultValue = "false") boolean verbose) {
        return bodies.read(request).flatMap(body -> acceptBatch(caller.tenant(), body, verbose));
    }

    private Mono<ResponseEntity<BatchAnswer>> acceptBatch(
            String tenant, JsonNode body, boolean verbose) {
        var events = BodyShape.list(body, "events", settings.maxBatchEvents());
        var rules = EventItems.rules(true, settings.maxEventBytes(), clock.instant());
        var checked = new ArrayList<EventItems.Checked>(events.size());
        for (var event : events) {
            checked.add(items.check(tenant, event, rules));
        }
        List<Item> all = checked.stream().map(EventItems.Checked::item).toList();
        return intake.settleAll(all).map(settled -> answer(checked, settled, verbose));
    }

    private static ResponseEntity<BatchAnswer> answer(
            List<EventItems.Checked> checked, List<Settled> settled, boolean verbose) {
        int accepted = 0;
        int rejected = 0;
        var results = new ArrayList<Result>();
        for (int i = 0; i < settled.size(); i++) {
            var one = settled.get(i);
            switch (one.status()) {
                case ACCEPTED -> accepted++;
                case REJECTED -> rejected++;
                case RETRY -> {}
            }
            if (verbose || one.status() != Status.ACCEPTED) {
                results.add(new Result(i, checked.get(i).eventId(), one.status(), one.errors()));
            }
        }
        return ResponseEntity.status(
                        accepted == settled.size() ? HttpStatus.OK : HttpStatus.MULTI_STATUS)
                .body(new BatchAnswer(accepted, rejected, results));
    }

    /** Body of the 202. */
    record AcceptedEvent(@Nullable String eventId, Status status) {}

    /**
     * Answer to a batch; events neither accepted nor rejected are in {@code results} with status {@code retry}.
     *
     * @param results every event that was not accepted, or all of them with {@code ?verbose=true}
     */
    record BatchAnswer(int accepted, int rejected, List<Result> results) {
        BatchAnswer {
            results = List.copyOf(results);
        }
    }

    /**
     * One event of a batch.
     *
     * @param index place in the batch, from 0
     * @param errors pointers go into the event
     */
    record Result(int index, @Nullable String eventId, Status status, List<FieldError> errors) {}
}
