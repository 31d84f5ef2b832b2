package io.mirante.ingestion.telemetry;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import io.mirante.contracts.events.TelemetryReading;
import io.mirante.contracts.events.TelemetryReadings;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.BodySlices;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.ExampleObject;
import io.swagger.v3.oas.annotations.parameters.RequestBody;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
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

    static final String TYPE = "telemetry.reading";
    private static final String SOURCE = "/http";

    private final JsonBodies bodies;
    private final Rejections rejections;
    private final Intake intake;
    private final IngestionSettings settings;
    private final Clock clock;

    TelemetryController(
            JsonBodies bodies,
            Rejections rejections,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.bodies = bodies;
        this.rejections = rejections;
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
            var one = check(tenant, Original.of(body), now);
            return intake.settle(one.item(), "")
                    .then(
                            Mono.fromSupplier(() ->
                                    ResponseEntity.accepted()
                                            .body(new AcceptedReading(one.id(), Status.ACCEPTED))));
        }
        var checked = new ArrayList<Checked>(readings.size());
        for (var reading : readings) {
            checked.add(check(tenant, new Original(body, reading.from(), reading.to()), now));
        }
        return intake.answerAll(checked, verbose, Result::new)
                .map(answer ->
                        ResponseEntity.status(answer.getStatusCode()).body(answer.getBody()));
    }

    private Checked check(String tenant, Original original, Instant now) {
        return switch (TelemetryReadings.check(
                original.bytes(), original.from(), original.to(), now, settings.maxEventBytes())) {
            case TelemetryReadings.Accepted accepted ->
                    new Checked(
                            accepted.reading().deviceId(),
                            new Item.Good(
                                    record(tenant, accepted.reading(), now),
                                    () -> tooLargeForKafka(tenant, original, now)));
            case TelemetryReadings.Rejected rejected ->
                    new Checked(
                            rejected.deviceId(),
                            rejections.of(
                                    tenant,
                                    null,
                                    TYPE,
                                    rejected.reason(),
                                    rejected.errors(),
                                    SOURCE,
                                    now,
                                    original));
        };
    }

    private Item.Bad tooLargeForKafka(String tenant, Original original, Instant now) {
        return rejections.of(
                tenant,
                null,
                TYPE,
                Reason.SIZE,
                List.of(
                        new FieldError(
                                "",
                                "too_large",
                                "the reading is larger than Kafka's topic takes; send fewer metrics"
                                        + " at once")),
                SOURCE,
                now,
                original);
    }

    /** Its id is the device and the time: the same reading again has the same id. */
    private static Outgoing record(String tenant, TelemetryReading reading, Instant now) {
        var time = reading.timestamp().toString();
        var headers = new HashMap<String, String>(16);
        headers.put(CloudHeaders.SPEC_VERSION, "1.0");
        headers.put(CloudHeaders.ID, reading.deviceId() + "@" + time);
        headers.put(CloudHeaders.TYPE, TYPE);
        headers.put(CloudHeaders.SOURCE, SOURCE);
        headers.put(CloudHeaders.TIME, time);
        headers.put(CloudHeaders.SUBJECT, reading.deviceId());
        headers.put(CloudHeaders.TENANT, tenant);
        headers.put(CloudHeaders.SCHEMA_VERSION, "1");
        headers.put(CloudHeaders.RECEIVED_AT, now.toString());
        return new Outgoing(
                Topics.TELEMETRY_RAW.name(),
                null,
                Keys.of(tenant, reading.deviceId()),
                reading.toJson(),
                headers);
    }

    /** Body of the 202. */
    record AcceptedReading(@Nullable String deviceId, Status status) {}

    /** One reading of a list. */
    record Result(int index, @Nullable String deviceId, Status status, List<FieldError> errors) {}
}
