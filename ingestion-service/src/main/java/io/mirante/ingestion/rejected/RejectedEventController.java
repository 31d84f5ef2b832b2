package io.mirante.ingestion.rejected;

import io.mirante.contracts.events.Reason;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** {@code GET /api/v1/events/rejected}: what was not accepted, why, and the original. */
@RestController
class RejectedEventController {

    private static final Pattern EMAIL =
            Pattern.compile("[A-Za-z0-9._%+-]{1,64}@([A-Za-z0-9-]{1,63}\\.){1,8}[A-Za-z]{2,24}");

    private final RejectedEvents rejected;

    RejectedEventController(RejectedEvents rejected) {
        this.rejected = rejected;
    }

    @GetMapping("/api/v1/events/rejected")
    @PreAuthorize("hasAnyAuthority('SCOPE_analytics.view', 'SCOPE_ingest')")
    Mono<Page<Item>> list(
            @RequestParam(required = false) @Nullable String reason,
            @RequestParam(name = "event_type", required = false) @Nullable String eventType,
            Caller caller,
            Paging paging) {
        requireReason(reason);
        return rejected.list(caller.tenant(), reason, eventType, paging)
                .map(page ->
                        new Page<>(
                                page.items().stream().map(Item::of).toList(), page.nextCursor()));
    }

    private static void requireReason(@Nullable String reason) {
        if (reason == null) {
            return;
        }
        try {
            Reason.ofWireName(reason);
        } catch (IllegalArgumentException e) {
            throw ProblemException.malformed(
                    "?reason",
                    "not_allowed",
                    "reason must be malformed, contract, size, identity, id_conflict or version");
        }
    }

    /**
     * One rejected event.
     *
     * @param original JSON text, at most 64 Ki characters; e-mail addresses in it are masked
     */
    record Item(
            String rejectionId,
            @Nullable String eventId,
            @Nullable String eventType,
            String reason,
            List<RejectedEvent.Fault> errors,
            String source,
            Instant rejectedAt,
            String original) {

        static Item of(RejectedEvent event) {
            return new Item(
                    event.rejectionId(),
                    event.eventId(),
                    event.eventType(),
                    event.reason(),
                    event.errors(),
                    event.source(),
                    event.rejectedAt(),
                    EMAIL.matcher(event.original()).replaceAll("***@***"));
        }
    }
}
