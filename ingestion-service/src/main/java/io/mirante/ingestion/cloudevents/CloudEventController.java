package io.mirante.ingestion.cloudevents;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.AcceptedEvent;
import io.mirante.ingestion.intake.BatchAnswer;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Hidden;
import io.swagger.v3.oas.annotations.Operation;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * CloudEvents on {@code POST /api/v1/events}: binary (attributes in {@code ce-} headers, data as the body), structured
 * ({@code application/cloudevents+json}) and batched ({@code application/cloudevents-batch+json}). Answered as plain events
 * are; pointers go into the CloudEvent.
 */
@RestController
class CloudEventController {

    private static final String PREFIX = "ce-";

    /** The way in; the event's own source is kept in its metadata. */
    static final String SOURCE = "/http";

    private final JsonBodies bodies;
    private final EventItems items;
    private final Rejections rejections;
    private final Intake intake;
    private final EventLimits limits;
    private final IngestionSettings settings;
    private final Clock clock;

    CloudEventController(
            JsonBodies bodies,
            EventItems items,
            Rejections rejections,
            EventLimits limits,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.bodies = bodies;
        this.items = items;
        this.rejections = rejections;
        this.limits = limits;
        this.intake = new Intake(log, meters, "mirante.ingestion.cloudevents");
        this.settings = settings;
        this.clock = clock;
    }

    @PostMapping(path = "/api/v1/events", headers = "ce-specversion")
    @PreAuthorize(Scopes.INGEST)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "Take one CloudEvent in binary mode")
    Mono<AcceptedEvent> binary(Caller caller, ServerHttpRequest request) {
        var headers = request.getHeaders();
        var attributes = new TreeMap<String, String>();
        headers.forEach((name, values) -> {
            var lower = name.toLowerCase(Locale.ROOT);
            if (lower.startsWith(PREFIX) && !values.isEmpty()) {
                attributes.put(lower.substring(PREFIX.length()), decoded(values.getFirst()));
            }
        });
        var contentType = headers.getFirst(HttpHeaders.CONTENT_TYPE);
        if (!CloudEvent.json(contentType)) {
            return Mono.error(
                    ProblemException.of(
                            HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                            "unsupported-media-type",
                            "the data of an event must be application/json"));
        }
        Mono<CloudEvent> event =
                headers.getContentLength() == 0
                        ? Mono.just(new CloudEvent(attributes, null))
                        : bodies.read(request).map(data -> new CloudEvent(attributes, data));
        return event.flatMap(e -> one(caller.tenant(), e));
    }

    @PostMapping(path = "/api/v1/events", consumes = "application/cloudevents+json")
    @PreAuthorize(Scopes.INGEST)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "Take one CloudEvent in structured mode")
    Mono<AcceptedEvent> structured(Caller caller, ServerHttpRequest request) {
        return bodies.read(request)
                .flatMap(body -> {
                    if (!body.isObject()) {
                        return Mono.error(
                                ProblemException.malformed(
                                        "", "wrong_type", "the body must be one CloudEvent {…}"));
                    }
                    return one(caller.tenant(), CloudEvent.ofStructured(body));
                });
    }

    @PostMapping(path = "/api/v1/events", consumes = "application/cloudevents-batch+json")
    @PreAuthorize(Scopes.INGEST)
    @Operation(summary = "Take up to 5,000 CloudEvents in batched mode")
    Mono<ResponseEntity<BatchAnswer<Result>>> batched(
            Caller caller,
            ServerHttpRequest request,
            @RequestParam(defaultValue = "false") boolean verbose) {
        return bodies.read(request).flatMap(body -> many(caller.tenant(), body, verbose));
    }

    /**
     * What no other method of the route takes. Without it Spring answers 404: {@link #binary} names no content type, so
     * it does not see that the type is what is wrong.
     */
    @Hidden
    @PostMapping("/api/v1/events")
    @PreAuthorize(Scopes.INGEST)
    Mono<AcceptedEvent> otherContentType(ServerHttpRequest request) {
        var given = request.getHeaders().getFirst(HttpHeaders.CONTENT_TYPE);
        return Mono.error(
                ProblemException.of(
                        HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                        "unsupported-media-type",
                        "send the event as application/json, or a CloudEvent as application/cloudevents+json or"
                                + " application/cloudevents-batch+json; the content type was "
                                + (given == null ? "missing" : given)));
    }

    private Mono<AcceptedEvent> one(String tenant, CloudEvent event) {
        return limits.take(tenant, 1)
                .map(room ->
                        room == 1
                                ? check(tenant, event)
                                : new Checked(event.attributes().get("id"), new Item.Deferred()))
                .flatMap(checked -> settle(event, checked));
    }

    private Mono<AcceptedEvent> settle(CloudEvent event, Checked checked) {
        return intake.settleAll(List.of(checked.item()))
                .map(List::getFirst)
                .map(settled -> {
                    if (settled.status() == Status.REJECTED) {
                        throw settled.reason() == Reason.SIZE
                                ? ProblemException.tooLarge(settled.errors().getFirst().message())
                                : ProblemException.malformed(
                                        pointed(event, settled.errors()).stream()
                                                .map(CloudEventController::forProblem)
                                                .toList());
                    }
                    return new AcceptedEvent(checked.id(), settled.status());
                });
    }

    private Mono<ResponseEntity<BatchAnswer<Result>>> many(
            String tenant, JsonNode body, boolean verbose) {
        if (!body.isArray()) {
            throw ProblemException.malformed(
                    "", "wrong_type", "the body must be an array of CloudEvents […]");
        }
        if (body.size() > settings.maxBatchEvents()) {
            throw ProblemException.tooLarge(
                    "the batch holds %d, more than %d; send it in parts"
                            .formatted(body.size(), settings.maxBatchEvents()));
        }
        var events = new ArrayList<CloudEvent>(body.size());
        for (var each : body) {
            events.add(CloudEvent.ofStructured(each));
        }
        if (events.isEmpty()) {
            return Mono.just(ResponseEntity.ok(new BatchAnswer<>(0, 0, List.of())));
        }
        return limits.take(tenant, events.size())
                .flatMap(room ->
                        intake.answerAll(
                                checked(tenant, events, room),
                                verbose,
                                (index, id, status, errors) ->
                                        new Result(
                                                index,
                                                id,
                                                status,
                                                pointed(events.get(index), errors))));
    }

    /** Checks as many as there is room for. */
    private List<Checked> checked(String tenant, List<CloudEvent> events, int room) {
        var checked = new ArrayList<Checked>(events.size());
        for (var event : events) {
            checked.add(
                    checked.size() < room
                            ? check(tenant, event)
                            : new Checked(event.attributes().get("id"), new Item.Deferred()));
        }
        return checked;
    }

    private Checked check(String tenant, CloudEvent event) {
        var rules =
                new EventValidator.Rules(
                        false, true, settings.maxEventBytes(), clock.instant(), SOURCE);
        var faults = event.faults(true);
        var translated = event.toEvent();
        return faults.isEmpty()
                ? items.check(tenant, translated, rules, () -> event.original(translated))
                : new Checked(
                        null,
                        rejections.of(
                                tenant,
                                null,
                                event.attributes().get("type"),
                                Reason.CONTRACT,
                                faults,
                                SOURCE,
                                rules.receivedAt(),
                                event.original(translated)));
    }

    /** Errors with pointers into the CloudEvent instead of the event that was made of it. */
    private static List<FieldError> pointed(CloudEvent event, List<FieldError> errors) {
        return errors.stream()
                .map(e -> new FieldError(pointer(event, e.pointer()), e.code(), e.message()))
                .toList();
    }

    static String pointer(CloudEvent event, String pointer) {
        if (event.whole()) {
            return "/data" + pointer;
        }
        if (pointer.startsWith("/event_type/data")) {
            return pointer.substring("/event_type".length());
        }
        return switch (pointer) {
            case "/event_id" -> "/id";
            case "/event_type", "/event_type/type" -> "/type";
            case "/timestamp" -> "/time";
            case "/user_id" -> event.attributes().containsKey("userid") ? "/userid" : "/subject";
            case "/anonymous_id" -> "/anonymousid";
            case "/session_id" -> "/sessionid";
            case "/schema_version" -> "/schemaversion";
            default -> pointer;
        };
    }

    private static io.mirante.platform.web.FieldError forProblem(FieldError error) {
        return new io.mirante.platform.web.FieldError(
                error.pointer(), error.code(), error.message());
    }

    /** Header values are percent-encoded; what is not stays as it is. */
    private static String decoded(String value) {
        if (value.indexOf('%') < 0) {
            return value;
        }
        try {
            return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return value;
        }
    }

    /**
     * One event of a batch.
     *
     * @param errors pointers go into the CloudEvent
     */
    record Result(int index, @Nullable String eventId, Status status, List<FieldError> errors) {}
}
