package io.mirante.ingestion.segment;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.EventValidator;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Original;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * {@code POST /v1/{identify,track,page,screen,group,alias,batch}}, answered as Segment answers: 200 {@code {"success":
 * true}} once Kafka has stored every event or, for one that is not valid, its rejection; 400 for what is no JSON or too
 * large; 503, to be sent again, when Kafka did not store all of it.
 */
@RestController
class SegmentController {

    static final String SOURCE = "/segment";

    /** Segment's limits, in bytes: one call, and a batch. */
    static final int MAX_CALL_BYTES = 32 * 1024;

    static final int MAX_BATCH_BYTES = 500 * 1024;

    /** What the event's own form may add to a call at the limit. */
    private static final int ADDED_BYTES = 2 * 1024;

    private static final Answer SUCCESS = new Answer(true);

    private final JsonBodies bodies;
    private final EventItems items;
    private final EventLimits limits;
    private final Intake intake;
    private final IngestionSettings settings;
    private final Clock clock;

    SegmentController(
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
        this.intake = new Intake(log, meters, "mirante.ingestion.segment");
        this.settings = settings;
        this.clock = clock;
    }

    @PostMapping("/v1/{call:identify|track|page|screen|group|alias}")
    @PreAuthorize(Scopes.INGEST)
    @Operation(
            summary = "Take one call of Segment's API",
            requestBody =
                    @RequestBody(
                            required = true,
                            content =
                                    @Content(
                                            mediaType = "application/json",
                                            examples =
                                                    @ExampleObject(
                                                            "{\"userId\": \"user_001\", \"event\":"
                                                                    + " \"Order Completed\","
                                                                    + " \"properties\": {\"revenue\": 35.14,"
                                                                    + " \"currency\": \"USD\"}}"))))
    Mono<Answer> one(@PathVariable String call, Caller caller, ServerHttpRequest request) {
        return read(request, MAX_CALL_BYTES)
                .map(body -> {
                    var alone = JsonNodeFactory.instance.objectNode();
                    var found = Call.find(call);
                    return List.of(
                            new Translated(
                                    SegmentEvents.of(found, body, alone),
                                    () -> SegmentRetranslation.kept(found, body, alone)));
                })
                .flatMap(events -> accept(caller.tenant(), events));
    }

    @PostMapping("/v1/batch")
    @PreAuthorize(Scopes.INGEST)
    @Operation(
            summary = "Take a batch of calls of Segment's API",
            requestBody =
                    @RequestBody(
                            required = true,
                            content =
                                    @Content(
                                            mediaType = "application/json",
                                            examples =
                                                    @ExampleObject(
                                                            "{\"batch\": [{\"type\": \"identify\","
                                                                    + " \"userId\": \"user_001\","
                                                                    + " \"traits\": {\"plan\": \"gold\"}}]}"))))
    Mono<Answer> batch(Caller caller, ServerHttpRequest request) {
        return read(request, MAX_BATCH_BYTES)
                .map(this::eventsOf)
                .flatMap(events -> accept(caller.tenant(), events));
    }

    private List<Translated> eventsOf(JsonNode body) {
        var batch = body.path("batch");
        if (!batch.isArray()) {
            throw ProblemException.malformed(
                    "/batch", "required", "batch must be an array of calls [{\"type\": …}]");
        }
        if (batch.size() > settings.maxBatchEvents()) {
            throw ProblemException.malformed(
                    "/batch",
                    "too_large",
                    "batch holds %d calls, more than %d; send it in parts"
                            .formatted(batch.size(), settings.maxBatchEvents()));
        }
        var events = new ArrayList<Translated>(batch.size());
        batch.forEach(call ->
                events.add(
                        new Translated(
                                SegmentEvents.ofBatch(call, body),
                                () -> SegmentRetranslation.kept(null, call, body))));
        return events;
    }

    private Mono<JsonNode> read(ServerHttpRequest request, int maxBytes) {
        return bodies.read(new BoundedBody(request, maxBytes))
                .onErrorMap(
                        ProblemException.class,
                        e ->
                                e.status() == HttpStatus.CONTENT_TOO_LARGE
                                        ? BoundedBody.tooLarge(maxBytes)
                                        : e)
                .doOnNext(body -> {
                    if (!body.isObject()) {
                        throw ProblemException.malformed(
                                "", "wrong_type", "the body must be a JSON object {…}");
                    }
                });
    }

    private Mono<Answer> accept(String tenant, List<Translated> events) {
        return limits.takeAll(tenant, events.size())
                .flatMap(room ->
                        room
                                ? settle(tenant, events)
                                : Mono.error(
                                        ProblemException.tooMany(
                                                "the tenant sends more events per second than its limit;"
                                                        + " send the batch again",
                                                Duration.ofSeconds(1))));
    }

    private Mono<Answer> settle(String tenant, List<Translated> events) {
        var rules =
                new EventValidator.Rules(
                        false,
                        false,
                        Math.min(settings.maxEventBytes(), MAX_CALL_BYTES + ADDED_BYTES),
                        clock.instant(),
                        SOURCE,
                        settings.clockTolerance());
        List<Item> checked =
                events.stream()
                        .map(call ->
                                items.check(
                                                tenant,
                                                call.event(),
                                                rules,
                                                () ->
                                                        Original.of(
                                                                SegmentRetranslation.FORM,
                                                                call.sent().get(),
                                                                call.event()))
                                        .item())
                        .toList();
        if (checked.isEmpty()) {
            return Mono.just(SUCCESS);
        }
        return intake.settleAll(checked)
                .map(settled -> {
                    if (settled.stream().anyMatch(s -> s.status() == Status.RETRY)) {
                        throw ProblemException.unavailable(
                                "not all events could be stored; send the batch again with the same"
                                        + " messageIds, none is counted twice",
                                Duration.ofSeconds(1));
                    }
                    return SUCCESS;
                });
    }

    /** A call as an event, and what makes what is kept of it. */
    private record Translated(JsonNode event, Supplier<JsonNode> sent) {}

    /** Segment's answer. */
    record Answer(boolean success) {}
}
