package io.mirante.ingestion.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.events.FieldError;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.BodySlices;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Original;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code POST /api/v1/industry40/iot/ingest}: one reading or many, acknowledged by Kafka like events. */
@RestController
class TelemetryController {

    private static final String SOURCE = "/http";

    private final JsonBodies bodies;
    private final TelemetryItems items;
    private final EventLimits limits;
    private final Intake intake;
    private final IngestionSettings settings;
    private final Clock clock;

    TelemetryController(
            JsonBodies bodies,
            TelemetryItems items,
            EventLimits limits,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.bodies = bodies;
        this.items = items;
        this.limits = limits;
        this.intake = new Intake(log, meters, "mirante.ingestion.readings");
        this.settings = settings;
        this.clock = clock;
    }

    @PostMapping(
            path = "/api/v1/industry40/iot/ingest",
            consumes = MediaType.APPLICATION_JSON_VALUE)
    @PreAuthorize(Scopes.INGEST)
    @Operation(
            summary = "Take one reading, or up to 5,000 under readings",
            requestBody =
                    @RequestBody(
                            required = true,
                            content =
                                    @Content(
                                            mediaType = "application/json",
                                            examples =
                                                    @ExampleObject(
                                                            "{\"device_id\": \"press-1\","
                                                                    + " \"device_type\": \"press\","
                                                                    + " \"metrics\": {\"temperature\": 75.5}}"))))
    Mono<ResponseEntity<Object>> ingest(
            Caller caller,
            ServerHttpRequest request,
            @RequestParam(defaultValue = "false") boolean verbose) {
        return bodies.bytes(request).flatMap(body -> accept(caller.tenant(), body, verbose));
    }

    private Mono<ResponseEntity<Object>> accept(String tenant, byte[] body, boolean verbose) {
        var now = clock.instant();
        var readings = BodySlices.listIfNamed(body, "readings", settings.maxBatchEvents());
        if (readings == null) {
            return limits.take(tenant, 1)
                    .map(room ->
                            room == 1
                                    ? items.check(tenant, Original.of(body), SOURCE, now, now)
                                    : new Checked(null, new Item.Deferred()))
                    .flatMap(one ->
                            intake.settle(one.item(), "")
                                    .then(
                                            Mono.fromSupplier(() ->
                                                    ResponseEntity.accepted()
                                                            .body(
                                                                    new AcceptedReading(
                                                                            one.id(),
                                                                            Status.ACCEPTED)))));
        }
        return limits.take(tenant, readings.size())
                .flatMap(room ->
                        intake.answerAll(
                                checked(tenant, body, readings, room, now), verbose, Result::new))
                .map(answer ->
                        ResponseEntity.status(answer.getStatusCode()).body(answer.getBody()));
    }

    /** Checks as many as there is room for. */
    private List<Checked> checked(
            String tenant, byte[] body, List<BodySlices.Slice> readings, int room, Instant now) {
        var checked = new ArrayList<Checked>(readings.size());
        for (int i = 0; i < readings.size(); i++) {
            var reading = readings.get(i);
            checked.add(
                    i < room
                            ? items.check(
                                    tenant,
                                    new Original(body, reading.from(), reading.to()),
                                    SOURCE,
                                    now,
                                    now)
                            : new Checked(null, new Item.Deferred()));
        }
        return checked;
    }

    /** Body of the 202. */
    record AcceptedReading(@Nullable String deviceId, Status status) {}

    /** One reading of a list. */
    record Result(int index, @Nullable String deviceId, Status status, List<FieldError> errors) {}
}
