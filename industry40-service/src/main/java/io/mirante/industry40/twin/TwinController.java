package io.mirante.industry40.twin;

import io.mirante.contracts.Topics;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code /industry40/devices} and {@code /industry40/twin/{device_id}}. */
@RestController
@RequestMapping("/api/v1/industry40")
class TwinController {

    private static final Pattern ETAG = Pattern.compile("(?:W/)?\"?(\\d{1,18})\"?");

    private final Twins twins;
    private final AsOf asOf;

    TwinController(Twins twins, AsOf asOf) {
        this.twins = twins;
        this.asOf = asOf;
    }

    /** What is wanted of a device, by metric; null takes a wish back. */
    record Wishes(@Nullable JsonNode desired) {}

    @GetMapping("/devices")
    @PreAuthorize(Scopes.VIEW)
    Mono<Page<Twin>> devices(Caller caller, Paging paging) {
        return now().flatMap(at ->
                twins.list(caller.tenant(), paging, at)
                        .collectList()
                        .map(rows -> Page.of(rows, paging.limit(), Twin::deviceId)));
    }

    @GetMapping("/twin/{deviceId}")
    @PreAuthorize(Scopes.VIEW)
    Mono<ResponseEntity<Twin>> show(@PathVariable String deviceId, Caller caller) {
        return now().flatMap(at -> twins.find(caller.tenant(), deviceId, at))
                .map(TwinController::withTag)
                .switchIfEmpty(missing(deviceId));
    }

    @PatchMapping("/twin/{deviceId}")
    @PreAuthorize(Scopes.MANAGE)
    Mono<ResponseEntity<Twin>> wish(
            @PathVariable String deviceId,
            @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String ifMatch,
            @RequestBody Wishes wishes,
            Caller caller) {
        var desired = wishes.desired();
        if (desired == null || !desired.isObject()) {
            return Mono.error(
                    ProblemException.malformed(
                            "/desired",
                            "required",
                            "desired must be an object of metric and value"));
        }
        if (desired.toString().contains("\\u0000")) {
            return Mono.error(
                    ProblemException.malformed("/desired", "nul", "desired must not hold \\u0000"));
        }
        return now().flatMap(at ->
                        twins.find(caller.tenant(), deviceId, at)
                                .switchIfEmpty(missing(deviceId))
                                .flatMap(twin ->
                                        twins.wish(
                                                caller.tenant(),
                                                deviceId,
                                                expected(ifMatch, twin),
                                                desired,
                                                at)))
                .map(TwinController::withTag)
                .switchIfEmpty(Mono.error(TwinController::changed));
    }

    private Mono<java.time.Instant> now() {
        return asOf.of("storeTelemetry", Topics.TELEMETRY_RAW);
    }

    private static long expected(@Nullable String ifMatch, Twin twin) {
        if (ifMatch == null || ifMatch.equals("*")) {
            return twin.revision();
        }
        var matcher = ETAG.matcher(ifMatch);
        if (!matcher.matches()) {
            throw ProblemException.malformed(
                    "If-Match", "invalid", "If-Match must be the ETag of an earlier answer");
        }
        return Long.parseLong(matcher.group(1));
    }

    private static ResponseEntity<Twin> withTag(Twin twin) {
        return ResponseEntity.ok().eTag(twin.etag()).body(twin);
    }

    private static ProblemException changed() {
        return ProblemException.of(
                HttpStatus.PRECONDITION_FAILED,
                "twin-changed",
                "the twin has changed since; read it again and repeat with its ETag");
    }

    private static <T> Mono<T> missing(String device) {
        return Mono.error(() -> ProblemException.notFound("device " + device));
    }
}
