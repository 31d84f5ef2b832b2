package io.mirante.platform.messaging;

import io.mirante.contracts.Topics;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.QueryTimes;
import io.mirante.platform.web.Scopes;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * {@code /api/v1/admin/dead-letters}: the same in every service; the gateway passes a call to the service that {@code
 * ?service=} names. Whose letter it is, is what the record's own tenant header says.
 */
@RestController
@RequestMapping("/api/v1/admin/dead-letters")
class DeadLetterController {

    private static final Duration READING = Duration.ofSeconds(8);

    private final String service;
    private final DeadLetterTopic topic;
    private final DeadLetterReplay replay;
    private final DeadLetterMasks masks;
    private final BuriedRecords buried;
    private final StreamDatabase stream;

    DeadLetterController(
            String service,
            DeadLetterTopic topic,
            DeadLetterReplay replay,
            DeadLetterMasks masks,
            BuriedRecords buried,
            StreamDatabase stream) {
        this.service = service;
        this.topic = topic;
        this.replay = replay;
        this.masks = masks;
        this.buried = buried;
        this.stream = stream;
    }

    @GetMapping
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "List what a service could not process, newest first",
            description =
                    "With admin the own tenant's letters, with platform all, also those without a tenant. Filters"
                            + " compare exactly; start_time is included, end_time is not. Values are masked. A page"
                            + " may be short, or empty, while there is a next_cursor: some thousand letters are"
                            + " looked at per call.")
    Mono<Page<Item>> list(
            @Parameter(description = "short name of the service, such as etl", required = true)
                    @RequestParam(name = "service", required = false)
                    @Nullable String named,
            @RequestParam(name = "tenant_id", required = false) @Nullable String tenant,
            @Parameter(description = "code, such as bad_json or handler_failed")
                    @RequestParam(required = false)
                    @Nullable String reason,
            @RequestParam(name = "topic", required = false) @Nullable String ofTopic,
            @RequestParam(required = false) @Nullable String consumer,
            @RequestParam(name = "start_time", required = false) @Nullable String start,
            @RequestParam(name = "end_time", required = false) @Nullable String end,
            Caller caller,
            Paging paging) {
        requireService(named);
        var selection =
                new DeadLetterSelection(
                        reach(caller, tenant),
                        reason,
                        ofTopic,
                        consumer,
                        QueryTimes.of("start_time", start),
                        QueryTimes.of("end_time", end));
        var before = offset("?cursor", paging.after());
        return Mono.fromCallable(() -> read(selection, before, paging.limit()))
                .subscribeOn(Schedulers.boundedElastic())
                .flatMap(this::withReplays);
    }

    private DeadLetterTopic.Slice<Item> read(
            DeadLetterSelection selection, @Nullable Long before, int limit) {
        try (var reading = topic.open(READING)) {
            return reading.backwards(selection, before, limit, this::shown);
        } catch (KafkaException e) {
            throw ProblemException.unavailable(
                    "Kafka does not answer at the moment; ask again", Duration.ofSeconds(2));
        }
    }

    private Item shown(DeadLetter letter) {
        var value = letter.record().value();
        boolean erased = value != null && replay.ofErased(letter);
        var shown = value == null || erased ? null : masks.value(letter.tenantId(), value);
        var origin = letter.origin();
        return new Item(
                letter.id(),
                service,
                replay.consumerOf(letter),
                letter.tenantId(),
                letter.eventType(),
                letter.reason(),
                erased
                        ? "the person it is about was erased"
                        : masks.detail(letter.tenantId(), letter.detail()),
                letter.read().topic(),
                letter.read().partition(),
                letter.read().offset(),
                letter.deadAt(),
                null,
                shown == null ? null : shown.text(),
                shown != null && shown.truncated(),
                origin);
    }

    private Mono<Page<Item>> withReplays(DeadLetterTopic.Slice<Item> slice) {
        var wanted = new ArrayList<BuriedRecords.Of>();
        slice.letters()
                .forEach(item -> {
                    if (item.consumer() != null) {
                        wanted.add(new BuriedRecords.Of(item.consumer(), item.origin()));
                    }
                });
        var next = slice.next();
        return buried.replayed(stream.client(), wanted)
                .map(replayed ->
                        new Page<>(
                                slice.letters().stream().map(item -> item.with(replayed)).toList(),
                                next == null ? null : Paging.encode(Long.toString(next))));
    }

    @PostMapping("/replay")
    @PreAuthorize(Scopes.ADMIN_OR_PLATFORM)
    @Operation(
            summary = "Process dead letters again, for the consumer that failed alone",
            description =
                    "By ids, or by the filters of the list, oldest first, up to 500 a call; next_cursor, sent as"
                            + " cursor, goes on. A letter is applied once, however often it is replayed. With dry_run"
                            + " nothing changes: replayable counts what can be parsed now.")
    Mono<ReplayAnswer> replay(
            @Parameter(description = "short name of the service, such as etl", required = true)
                    @RequestParam(name = "service", required = false)
                    @Nullable String named,
            @RequestBody ReplayRequest request,
            Caller caller) {
        if (named != null || request.service() == null) {
            requireService(named);
        }
        if (request.service() != null) {
            requireService(request.service());
        }
        request.check();
        var selection = request.selection(reach(caller, request.tenantId()));
        var from = offset("/cursor", request.cursor());
        boolean dryRun = Boolean.TRUE.equals(request.dryRun());
        var ids = request.ids();
        return Mono.fromCallable(() ->
                        ids == null
                                ? replay.bySelection(selection, from, dryRun)
                                : replay.byIds(ids, selection, dryRun))
                .subscribeOn(Schedulers.boundedElastic())
                .map(outcome -> ReplayAnswer.of(service, dryRun, outcome, masks));
    }

    private void requireService(@Nullable String named) {
        if (!service.equals(named)) {
            throw ProblemException.malformed(
                    "?service",
                    named == null || named.isEmpty() ? "required" : "not_allowed",
                    "service must be given in the query, ?service=, and be one of "
                            + String.join(", ", Topics.services())
                            + (named == null || named.isEmpty() ? "" : "; was " + named));
        }
    }

    /** The tenant whose letters the caller may have; null = all. */
    private static @Nullable String reach(Caller caller, @Nullable String asked) {
        if (caller.scopes().contains("platform")) {
            return asked;
        }
        if (asked != null && !asked.equals(caller.tenant())) {
            throw ProblemException.notFound("tenant " + asked);
        }
        return caller.tenant();
    }

    private static @Nullable Long offset(String pointer, @Nullable String text) {
        if (text == null) {
            return null;
        }
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            throw ProblemException.malformed(
                    pointer, "invalid", "cursor must be the next_cursor of an earlier answer");
        }
    }

    /**
     * One dead letter.
     *
     * @param id for a replay; {@code topic-partition@offset} of the record, and the letter's own offset
     * @param consumer whose record it was; null when the letter does not say
     * @param reason a code, with {@code detail} as a sentence
     * @param topic where the record was read, with {@code partition} and {@code offset}
     * @param replayedAt when it was replayed; null when it was not
     * @param value the record's, as text, personal data in it masked; null when it had none, or is about an erased person
     * @param truncated {@code value} is only its beginning
     */
    record Item(
            String id,
            String service,
            @Nullable String consumer,
            @Nullable String tenantId,
            @Nullable String eventType,
            String reason,
            String detail,
            String topic,
            int partition,
            long offset,
            Instant deadAt,
            @Nullable Instant replayedAt,
            @Nullable String value,
            boolean truncated,
            @com.fasterxml.jackson.annotation.JsonIgnore Position origin) {

        Item with(Map<BuriedRecords.Of, Instant> replayed) {
            var at = consumer == null ? null : replayed.get(new BuriedRecords.Of(consumer, origin));
            return new Item(
                    id, service, consumer, tenantId, eventType, reason, detail, topic, partition,
                    offset, deadAt, at, value, truncated, origin);
        }
    }

    /**
     * Which letters to replay: by {@code ids}, or by filters, of which a missing one does not limit.
     *
     * @param service may repeat what the query names
     * @param cursor {@code next_cursor} of the answer before
     * @param dryRun only tell what can be parsed now
     */
    record ReplayRequest(
            @Nullable String service,
            @Nullable List<String> ids,
            @Nullable String tenantId,
            @Nullable String reason,
            @Nullable String topic,
            @Nullable String consumer,
            @Nullable Instant startTime,
            @Nullable Instant endTime,
            @Nullable String cursor,
            @Nullable Boolean dryRun) {

        /** Throws a problem when it is not possible. */
        void check() {
            if (ids == null) {
                return;
            }
            requireIds(ids);
            if (reason != null
                    || topic != null
                    || consumer != null
                    || startTime != null
                    || endTime != null
                    || cursor != null) {
                throw ProblemException.malformed(
                        "/ids",
                        "not_alone",
                        "ids and filters exclude each other; give one of them");
            }
        }

        private static void requireIds(List<String> ids) {
            if (ids.isEmpty() || ids.size() > DeadLetterReplay.MAX_LETTERS) {
                throw ProblemException.malformed(
                        "/ids",
                        "out_of_range",
                        "ids must hold 1 to %d, held %d; leave it out to replay by filters"
                                .formatted(DeadLetterReplay.MAX_LETTERS, ids.size()));
            }
            for (int i = 0; i < ids.size(); i++) {
                if (DeadLetter.offsetOf(Objects.requireNonNullElse(ids.get(i), "")).isEmpty()) {
                    throw ProblemException.malformed(
                            "/ids/" + i, "invalid", "an id must be one that the list shows");
                }
            }
        }

        DeadLetterSelection selection(@Nullable String tenant) {
            return new DeadLetterSelection(tenant, reason, topic, consumer, startTime, endTime);
        }
    }

    /**
     * What a replay did: matched = replayed + replayable + already_replayed + failed + not_replayable.
     *
     * @param matched letters found
     * @param replayable in a dry run: what would be tried
     * @param nextCursor goes on, by filters; null when no letter is left
     */
    record ReplayAnswer(
            String service,
            boolean dryRun,
            long matched,
            long replayed,
            long replayable,
            long alreadyReplayed,
            long failed,
            long notReplayable,
            long notFound,
            List<ReplayResult> results,
            @Nullable String nextCursor) {

        static ReplayAnswer of(
                String service,
                boolean dryRun,
                DeadLetterReplay.Outcome outcome,
                DeadLetterMasks masks) {
            var next = outcome.next();
            long notFound = count(outcome, DeadLetterReplay.Status.NOT_FOUND);
            return new ReplayAnswer(
                    service,
                    dryRun,
                    outcome.results().size() - notFound,
                    count(outcome, DeadLetterReplay.Status.REPLAYED),
                    count(outcome, DeadLetterReplay.Status.REPLAYABLE),
                    count(outcome, DeadLetterReplay.Status.ALREADY_REPLAYED),
                    count(outcome, DeadLetterReplay.Status.FAILED),
                    count(outcome, DeadLetterReplay.Status.NOT_REPLAYABLE),
                    notFound,
                    outcome.results().stream().map(r -> ReplayResult.of(r, masks)).toList(),
                    next == null ? null : Long.toString(next));
        }

        private static long count(
                DeadLetterReplay.Outcome outcome, DeadLetterReplay.Status status) {
            return outcome.results().stream().filter(r -> r.status() == status).count();
        }
    }

    /**
     * What became of one letter.
     *
     * @param status replayed, replayable, already_replayed, failed, not_replayable or not_found
     * @param reason a code, with {@code detail} as a sentence; both null when there is nothing to say
     */
    record ReplayResult(
            String id, String status, @Nullable String reason, @Nullable String detail) {

        static ReplayResult of(DeadLetterReplay.Result result, DeadLetterMasks masks) {
            var detail = result.detail();
            return new ReplayResult(
                    result.id(),
                    result.status().name().toLowerCase(Locale.ROOT),
                    result.reason(),
                    detail == null ? null : masks.detail(result.tenantId(), detail));
        }
    }
}
