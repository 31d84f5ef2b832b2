package io.mirante.ingestion.rejected;

import io.mirante.contracts.events.Reason;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.contracts.masking.Masker;
import io.mirante.ingestion.intake.TenantRules;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.QueryTimes;
import io.swagger.v3.oas.annotations.Operation;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code GET /api/v1/events/rejected}: what was not accepted, why, and the original, masked. */
@RestController
class RejectedEventController {

    /** Reads also what was rejected for a field that stands twice. */
    private static final JsonMapper LENIENT =
            JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

    private final RejectedEvents rejected;
    private final TenantRules tenants;

    RejectedEventController(RejectedEvents rejected, TenantRules tenants) {
        this.rejected = rejected;
        this.tenants = tenants;
    }

    @GetMapping("/api/v1/events/rejected")
    @PreAuthorize("hasAnyAuthority('SCOPE_analytics.view', 'SCOPE_ingest')")
    @Operation(summary = "List rejected events, newest first")
    Mono<Page<Item>> list(
            @RequestParam(required = false) @Nullable String reason,
            @RequestParam(name = "event_type", required = false) @Nullable String eventType,
            @RequestParam(name = "event_id", required = false) @Nullable String eventId,
            @RequestParam(required = false) @Nullable String source,
            @RequestParam(name = "start_time", required = false) @Nullable String startTime,
            @RequestParam(name = "end_time", required = false) @Nullable String endTime,
            Caller caller,
            Paging paging) {
        requireReason("?reason", reason);
        var selection =
                new Selection(
                        reason,
                        eventType,
                        eventId,
                        source,
                        QueryTimes.of("start_time", startTime),
                        QueryTimes.of("end_time", endTime),
                        List.of(),
                        false);
        var masker = tenants.masker(caller.tenant());
        return rejected.list(caller.tenant(), selection, paging)
                .map(page ->
                        new Page<>(
                                page.items().stream().map(r -> Item.of(r, masker)).toList(),
                                page.nextCursor()));
    }

    /** Throws a problem when the text names no reason. */
    static void requireReason(String pointer, @Nullable String reason) {
        if (reason == null) {
            return;
        }
        try {
            Reason.ofWireName(reason);
        } catch (IllegalArgumentException e) {
            throw ProblemException.malformed(
                    pointer,
                    "not_allowed",
                    "reason must be malformed, contract, size, identity, id_conflict or version");
        }
    }

    /**
     * One rejected event.
     *
     * @param original as text, personal data in it masked; null when its key is not known here
     * @param form what {@code original} is: {@code segment} a batch of one call, {@code cloudevent} in structured mode, {@code
     *     import} a line with its mapping; null = an event
     * @param truncated {@code original} is only its beginning
     * @param replayedAt when it was sent again; null when it was not
     */
    record Item(
            String rejectionId,
            @Nullable String eventId,
            @Nullable String eventType,
            String reason,
            List<RejectedEvent.Fault> errors,
            String source,
            Instant rejectedAt,
            @Nullable String original,
            @Nullable String form,
            boolean truncated,
            @Nullable Instant replayedAt) {

        static Item of(Rejected event, Masker masker) {
            var original = event.original();
            return new Item(
                    event.rejectionId(),
                    event.eventId(),
                    event.eventType(),
                    event.reason(),
                    event.errors(),
                    event.source(),
                    event.rejectedAt(),
                    original == null ? null : shown(original, masker),
                    event.form(),
                    event.truncated(),
                    event.replayed());
        }

        /** By its fields' names where it can be read at all, by patterns alone where it cannot. */
        private static String shown(byte[] original, Masker masker) {
            try {
                return Rejections.clean(masker.mask(LENIENT.readTree(original)).toString());
            } catch (JacksonException e) {
                return masker.mask(Rejections.clean(new String(original, StandardCharsets.UTF_8)));
            }
        }
    }
}
