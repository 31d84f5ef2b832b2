package io.mirante.ingestion.trace;

import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.ingestion.rejected.Rejected;
import io.mirante.ingestion.rejected.RejectedEvents;
import io.mirante.ingestion.rejected.Selection;
import io.mirante.ingestion.trace.StepClient.Step;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpHeaders;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * {@code GET /api/v1/events/{event_id}/trace}: what became of an event, within a second: a service that does not answer in
 * time is named, and the rest is told without it.
 */
@RestController
class TraceController {

    private static final int MAX_REJECTIONS = 20;
    private static final Duration DATABASE = Duration.ofMillis(450);

    private final RejectedEvents rejected;
    private final StepClient etl;
    private final StepClient snapshot;

    TraceController(
            RejectedEvents rejected,
            @Value("${mirante.ingestion.etl-url:}") String etlUrl,
            @Value("${mirante.ingestion.snapshot-url:}") String snapshotUrl) {
        this.rejected = rejected;
        this.etl = new StepClient("etl", etlUrl, StepClient.LIMIT);
        this.snapshot = new StepClient("snapshot", snapshotUrl, StepClient.LIMIT);
    }

    /**
     * What became of an event.
     *
     * @param status the furthest it came: {@code counted}, {@code stored}, {@code failed} (accepted, and not to be
     *     processed: it is among etl's dead letters) or {@code rejected}
     * @param stored where and when it was stored, and for whom; null when it is not in the event log
     * @param duplicates records with the same id and content: counted nowhere
     * @param conflicts records with the same id and another content: among the rejected
     * @param failures records with the id that could not be processed
     * @param rejections newest first
     * @param windows those it is counted in
     * @param loggedAsOf every event accepted before it is in the event log; null when etl did not answer
     * @param asOf every event accepted before it is counted; null when snapshot was not asked or did not answer
     * @param unanswered services whose step is missing here
     */
    record Trace(
            String eventId,
            String status,
            @Nullable JsonNode stored,
            long duplicates,
            long conflicts,
            long failures,
            List<Rejection> rejections,
            List<JsonNode> windows,
            @Nullable String loggedAsOf,
            @Nullable String asOf,
            List<String> unanswered) {
        Trace {
            rejections = List.copyOf(rejections);
            windows = List.copyOf(windows);
            unanswered = List.copyOf(unanswered);
        }
    }

    /** One rejection of it; its original is listed by {@code GET /events/rejected?event_id=}. */
    record Rejection(
            String rejectionId,
            String reason,
            List<RejectedEvent.Fault> errors,
            String source,
            Instant rejectedAt,
            @Nullable Instant replayedAt) {}

    /** What the own store says. */
    private record Own(boolean reached, List<Rejection> rejections) {}

    @GetMapping("/api/v1/events/{event_id}/trace")
    @PreAuthorize("hasAnyAuthority('SCOPE_analytics.view', 'SCOPE_ingest')")
    @Operation(summary = "Tell what became of an event")
    Mono<Trace> trace(
            @PathVariable("event_id") String eventId,
            @Parameter(hidden = true) @RequestHeader(HttpHeaders.AUTHORIZATION)
                    String authorization,
            Caller caller) {
        return Mono.zip(
                        rejections(caller.tenant(), eventId),
                        etl.ask(authorization, "/api/v1/etl/events/{id}/trace", eventId)
                                .flatMap(log ->
                                        windows(authorization, eventId, log)
                                                .map(counted -> new Steps(log, counted))))
                .map(parts -> join(eventId, parts.getT1(), parts.getT2()));
    }

    private record Steps(Step log, Optional<Step> counted) {}

    /** Asked only for an event whose time the log knows. */
    private Mono<Optional<Step>> windows(String authorization, String eventId, Step log) {
        return log.body()
                .map(body -> body.path("stored").path("occurred_at"))
                .filter(JsonNode::isString)
                .map(at ->
                        snapshot.ask(
                                        authorization,
                                        "/api/v1/snapshots/events/{id}?occurred_at={at}",
                                        eventId,
                                        at.stringValue())
                                .map(Optional::of))
                .orElseGet(() -> Mono.just(Optional.empty()));
    }

    private Mono<Own> rejections(String tenant, String eventId) {
        var selection = new Selection(null, null, eventId, null, null, null, List.of(), false);
        return rejected.list(tenant, selection, new Paging(MAX_REJECTIONS, null))
                .map(page ->
                        new Own(true, page.items().stream().map(TraceController::brief).toList()))
                .timeout(DATABASE)
                .onErrorReturn(new Own(false, List.of()));
    }

    private static Rejection brief(Rejected one) {
        return new Rejection(
                one.rejectionId(),
                one.reason(),
                one.errors(),
                one.source(),
                one.rejectedAt(),
                one.replayed());
    }

    private static Trace join(String eventId, Own own, Steps steps) {
        var log = steps.log();
        var counted = steps.counted().flatMap(Step::body);
        var unanswered = new ArrayList<String>();
        if (!own.reached()) {
            unanswered.add("ingestion");
        }
        if (!log.reached()) {
            unanswered.add("etl");
        }
        if (steps.counted().filter(step -> !step.reached()).isPresent()) {
            unanswered.add("snapshot");
        }
        if (log.body().isEmpty() && own.rejections().isEmpty()) {
            throw unanswered.isEmpty()
                    ? ProblemException.notFound(
                            "event "
                                    + eventId
                                    + " (neither stored nor rejected; one just accepted takes a moment)")
                    : ProblemException.unavailable(
                            "nothing is known of the event; these did not answer: " + unanswered,
                            Duration.ofSeconds(1));
        }
        var stored = log.body().map(body -> body.get("stored")).filter(JsonNode::isObject);
        long failures = log.body().map(body -> body.path("failures").asLong(0)).orElse(0L);
        boolean inWindows =
                counted.filter(body -> body.path("counted").asBoolean(false)).isPresent();
        return new Trace(
                eventId,
                inWindows
                        ? "counted"
                        : stored.isPresent() ? "stored" : failures > 0 ? "failed" : "rejected",
                stored.orElse(null),
                log.body().map(body -> body.path("duplicates").asLong(0)).orElse(0L),
                log.body().map(body -> body.path("conflicts").asLong(0)).orElse(0L),
                failures,
                own.rejections(),
                counted.map(body -> body.path("windows").valueStream().toList()).orElse(List.of()),
                log.body().map(body -> body.path("as_of").asString(null)).orElse(null),
                counted.map(body -> body.path("as_of").asString(null)).orElse(null),
                unanswered);
    }
}
