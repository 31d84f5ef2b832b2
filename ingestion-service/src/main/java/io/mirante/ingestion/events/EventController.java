package io.mirante.ingestion.events;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Glimpse;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.BodySlices;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.intake.AcceptedEvent;
import io.mirante.ingestion.intake.BatchAnswer;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.QuickPost;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
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

/** {@code POST /api/v1/events} and {@code /events/batch}: answered once Kafka has stored what the answer says. */
@RestController
class EventController {

    private static final String SOURCE = "/http";
    private static final String ONE = "/api/v1/events";
    private static final String MANY = "/api/v1/events/batch";

    private final JsonBodies bodies;
    private final EventItems items;
    private final EventLimits limits;
    private final Intake intake;
    private final IngestionSettings settings;
    private final Clock clock;

    EventController(
            JsonBodies bodies,
            EventItems items,
            EventLimits limits,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.bodies = bodies;
        this.items = items;
        this.limits = limits;
        this.intake = new Intake(log, meters, "mirante.ingestion.events");
        this.settings = settings;
        this.clock = clock;
    }

    @PostMapping(path = ONE, consumes = MediaType.APPLICATION_JSON_VALUE)
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
        return bodies.bytes(request).flatMap(body -> acceptOne(caller.tenant(), body));
    }

    /** {@link #one} for calls in the route's plain form. */
    @Bean
    QuickPost quickOne() {
        return new QuickPost(
                ONE,
                "ingest",
                settings.maxBodyBytes(),
                // The route's CloudEvents in binary mode.
                List.of("ce-specversion"),
                (caller, body) ->
                        bodies.plain(body)
                                .flatMap(plain -> acceptOne(caller.tenant(), plain))
                                .map(answer -> new QuickPost.Reply(HttpStatus.ACCEPTED, answer)));
    }

    /** {@link #batch} for calls in the route's plain form. */
    @Bean
    QuickPost quickBatch() {
        return new QuickPost(
                MANY,
                "ingest",
                settings.maxBodyBytes(),
                (caller, body) ->
                        bodies.plain(body)
                                .flatMap(plain -> acceptBatch(caller.tenant(), plain, false))
                                .map(answer ->
                                        new QuickPost.Reply(
                                                answer.getStatusCode(),
                                                Objects.requireNonNull(answer.getBody()))));
    }

    private Mono<AcceptedEvent> acceptOne(String tenant, byte[] body) {
        var event = BodySlices.only(body, "event");
        return limits.take(tenant, 1)
                .map(room ->
                        room == 1
                                ? items.check(tenant, body, event.from(), event.to(), rules(false))
                                : deferred(body, event))
                .flatMap(checked ->
                        intake.settle(checked.item(), "/event")
                                .then(
                                        Mono.fromSupplier(() ->
                                                new AcceptedEvent(checked.id(), Status.ACCEPTED))));
    }

    @PostMapping(path = MANY, consumes = MediaType.APPLICATION_JSON_VALUE)
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
    Mono<ResponseEntity<BatchAnswer<Result>>> batch(
            Caller caller,
            ServerHttpRequest request,
            @RequestParam(defaultValue = "false") boolean verbose) {
        return bodies.bytes(request).flatMap(body -> acceptBatch(caller.tenant(), body, verbose));
    }

    private Mono<ResponseEntity<BatchAnswer<Result>>> acceptBatch(
            String tenant, byte[] body, boolean verbose) {
        var events = BodySlices.list(body, "events", settings.maxBatchEvents());
        return limits.take(tenant, events.size())
                .flatMap(room ->
                        intake.answerAll(
                                checked(tenant, body, events, room), verbose, Result::new));
    }

    /** Checks as many as there is room for. */
    private List<Checked> checked(
            String tenant, byte[] body, List<BodySlices.Slice> events, int room) {
        var rules = rules(true);
        var checked = new ArrayList<Checked>(events.size());
        for (int i = 0; i < events.size(); i++) {
            var event = events.get(i);
            checked.add(
                    i < room
                            ? items.check(tenant, body, event.from(), event.to(), rules)
                            : deferred(body, event));
        }
        return checked;
    }

    private static Checked deferred(byte[] body, BodySlices.Slice event) {
        return new Checked(
                Glimpse.of(body, event.from(), event.to()).eventId(), new Item.Deferred());
    }

    private EventValidator.Rules rules(boolean idRequired) {
        return new EventValidator.Rules(
                false,
                idRequired,
                settings.maxEventBytes(),
                clock.instant(),
                SOURCE,
                settings.clockTolerance());
    }

    /**
     * One event of a batch.
     *
     * @param index place in the batch, from 0
     * @param errors pointers go into the event
     */
    record Result(int index, @Nullable String eventId, Status status, List<FieldError> errors) {}
}
