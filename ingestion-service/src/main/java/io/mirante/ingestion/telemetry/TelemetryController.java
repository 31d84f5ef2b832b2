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
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.intake.Intake;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.intake.Settled;
import io.mirante.ingestion.intake.Status;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
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
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /api/v1/industry40/iot/ingest}: one reading or many, acknowledged by Kafka like events. */
@RestController
class TelemetryController {

    static final String TYPE = "telemetry.reading";
    private static final String SOURCE = "/http";

    private final JsonBodies bodies;
    private final Intake intake;
    private final IngestionSettings settings;
    private final Clock clock;

    TelemetryController(
            JsonBodies bodies,
            EventLog log,
            MeterRegistry meters,
            IngestionSettings settings,
            Clock clock) {
        this.bodies = bodies;
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
        return bodies.read(request).flatMap(body -> accept(caller.tenant(), body, verbose));
    }

    private Mono<ResponseEntity<Object>> accept(String tenant, JsonNode body, boolean verbose) {
        var now = clock.instant();
        var parsed = TelemetryReadings.parse(body, now, settings.maxEventBytes());
        if (parsed == null) {
            return Mono.error(
                    ProblemException.malformed(
                            "",
                            "wrong_type",
                            "the body must be one reading, or {\"readings\": […]} with at least one"));
        }
        if (parsed.items().size() > settings.maxBatchEvents()) {
            return Mono.error(
                    ProblemException.tooLarge(
                            "readings holds %d, more than %d; send it in parts"
                                    .formatted(parsed.items().size(), settings.maxBatchEvents())));
        }
        var checked = new ArrayList<Checked>(parsed.items().size());
        for (var item : parsed.items()) {
            var original =
                    parsed.single() ? body : body.required("readings").required(item.index());
            checked.add(check(tenant, item, original, now));
        }
        if (parsed.single()) {
            var one = checked.getFirst();
            return intake.settle(one.item(), "")
                    .then(
                            Mono.fromSupplier(() ->
                                    ResponseEntity.accepted()
                                            .body(
                                                    new AcceptedReading(
                                                            one.deviceId(), Status.ACCEPTED))));
        }
        List<Item> items = checked.stream().map(Checked::item).toList();
        return intake.settleAll(items).map(settled -> answer(checked, settled, verbose));
    }

    private record Checked(@Nullable String deviceId, Item item) {}

    private static Checked check(
            String tenant, TelemetryReadings.Item item, JsonNode original, Instant now) {
        return switch (item) {
            case TelemetryReadings.Accepted accepted ->
                    new Checked(
                            accepted.reading().deviceId(),
                            new Item.Good(
                                    record(tenant, accepted.reading(), now),
                                    () ->
                                            bad(
                                                    tenant,
                                                    Reason.SIZE,
                                                    List.of(
                                                            new FieldError(
                                                                    "",
                                                                    "too_large",
                                                                    "the reading is larger than Kafka's topic"
                                                                            + " takes; send fewer metrics at once")),
                                                    original,
                                                    now)));
            case TelemetryReadings.Rejected rejected ->
                    new Checked(
                            rejected.deviceId(),
                            bad(tenant, rejected.reason(), rejected.errors(), original, now));
        };
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

    private static Item.Bad bad(
            String tenant, Reason reason, List<FieldError> errors, JsonNode original, Instant now) {
        var clean =
                errors.stream()
                        .map(e ->
                                new FieldError(
                                        Rejections.clean(e.pointer()),
                                        e.code(),
                                        Rejections.clean(e.message())))
                        .toList();
        return new Item.Bad(
                Rejections.record(tenant, null, TYPE, reason, clean, SOURCE, now, original),
                reason == Reason.SIZE,
                clean);
    }

    private static ResponseEntity<Object> answer(
            List<Checked> checked, List<Settled> settled, boolean verbose) {
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
                results.add(new Result(i, checked.get(i).deviceId(), one.status(), one.errors()));
            }
        }
        return ResponseEntity.status(
                        accepted == settled.size() ? HttpStatus.OK : HttpStatus.MULTI_STATUS)
                .body(new BatchAnswer(accepted, rejected, results));
    }

    /** Body of the 202. */
    record AcceptedReading(@Nullable String deviceId, Status status) {}

    /** Answer to many, as for events. */
    record BatchAnswer(int accepted, int rejected, List<Result> results) {
        BatchAnswer {
            results = List.copyOf(results);
        }
    }

    /** One reading of a list. */
    record Result(int index, @Nullable String deviceId, Status status, List<FieldError> errors) {}
}
