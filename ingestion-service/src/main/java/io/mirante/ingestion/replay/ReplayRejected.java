package io.mirante.ingestion.replay;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.events.Reason;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.events.EventItems;
import io.mirante.ingestion.intake.Checked;
import io.mirante.ingestion.intake.Item;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.log.Outcome;
import io.mirante.ingestion.rejected.Original;
import io.mirante.ingestion.rejected.Rejected;
import io.mirante.ingestion.rejected.RejectedEvents;
import io.mirante.ingestion.rejected.Retranslation;
import io.mirante.ingestion.rejected.Selection;
import io.mirante.ingestion.telemetry.TelemetryItems;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.web.Paging;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.databind.JsonNode;

/**
 * Checks rejected events as they would be checked now and sends those that pass. Safe to run twice: an event keeps its
 * id, or gets the rejection's, and its content, so that what was sent already is a duplicate and counted once; what was
 * replayed is not taken again. An id that is taken stays taken: conflicts are skipped. Blocks.
 */
@Component
class ReplayRejected implements JobHandler {

    static final String KIND = "replay_rejected";

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int PAGE = 200;

    private final RejectedEvents rejected;
    private final EventItems events;
    private final TelemetryItems readings;
    private final Map<String, Retranslation> forms;
    private final EventLog log;
    private final IngestionSettings settings;
    private final Clock clock;

    ReplayRejected(
            RejectedEvents rejected,
            EventItems events,
            TelemetryItems readings,
            List<Retranslation> forms,
            EventLog log,
            IngestionSettings settings,
            Clock clock) {
        this.rejected = rejected;
        this.events = events;
        this.readings = readings;
        this.forms =
                forms.stream().collect(Collectors.toMap(Retranslation::form, Function.identity()));
        this.log = log;
        this.settings = settings;
        this.clock = clock;
    }

    /** The job's result: selected = passed + rejected + skipped. */
    private static final class Count {
        long selected;
        long passed;
        long rejected;
        long skipped;
        final Map<String, Long> reasons = new TreeMap<>();

        JsonNode result(boolean dryRun) {
            return Json.mapper()
                    .createObjectNode()
                    .put("dry_run", dryRun)
                    .put("selected", selected)
                    .put("passed", passed)
                    .put("rejected", rejected)
                    .put("skipped", skipped)
                    .set("reasons", Json.mapper().valueToTree(reasons));
        }
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) {
        var request = Json.mapper().treeToValue(context.payload(), ReplayRequest.class);
        boolean dryRun = Boolean.TRUE.equals(request.dryRun());
        var count = new Count();
        String cursor = null;
        do {
            var page = page(context.tenant(), request.selection(), cursor);
            send(context.tenant(), page.items(), request.mapping(), dryRun, count);
            cursor = page.nextCursor();
            context.progress(
                    cursor == null ? 1 : 0.5,
                    "%d looked at, %d passed".formatted(count.selected, count.passed));
        } while (cursor != null);
        return count.result(dryRun);
    }

    private io.mirante.platform.web.Page<Rejected> page(
            String tenant, Selection selection, @Nullable String cursor) {
        return rejected.list(tenant, selection, Paging.of(Integer.toString(PAGE), cursor))
                .blockOptional(LIMIT)
                .orElseThrow();
    }

    private void send(
            String tenant,
            List<Rejected> page,
            @Nullable JsonNode mapping,
            boolean dryRun,
            Count count) {
        var ids = new ArrayList<String>();
        var records = new ArrayList<Outgoing>();
        for (var one : page) {
            count.selected++;
            var original = one.original();
            if (original == null
                    || one.truncated()
                    || one.reason().equals(Reason.CONFLICT.wireName())) {
                count.skipped++;
                continue;
            }
            var event = event(one, original, mapping);
            if (event == null) {
                count.rejected++;
                count.reasons.merge(one.reason(), 1L, Long::sum);
                continue;
            }
            switch (check(tenant, one, event).item()) {
                case Item.Good good -> {
                    count.passed++;
                    ids.add(one.rejectionId());
                    records.add(good.record());
                }
                case Item.Bad bad -> {
                    count.rejected++;
                    count.reasons.merge(bad.reason().wireName(), 1L, Long::sum);
                }
                case Item.Deferred deferred ->
                        throw new IllegalStateException("a replay has no limit");
            }
        }
        if (!dryRun && !records.isEmpty()) {
            store(tenant, ids, records);
        }
    }

    private void store(String tenant, List<String> ids, List<Outgoing> records) {
        var outcomes = log.storeAll(records).blockOptional(LIMIT).orElseThrow();
        var stored = new ArrayList<String>(ids.size());
        for (int i = 0; i < ids.size(); i++) {
            if (outcomes.get(i) == Outcome.STORED) {
                stored.add(ids.get(i));
            }
        }
        var unused = rejected.markReplayed(tenant, stored).block(LIMIT);
        if (stored.size() < ids.size()) {
            throw new IllegalStateException(
                    "Kafka did not store %d of %d events; the job runs again"
                            .formatted(ids.size() - stored.size(), ids.size()));
        }
    }

    /** The event, of another form translated as it would be now; null when it is still none. */
    private byte @Nullable [] event(Rejected one, byte[] original, @Nullable JsonNode mapping) {
        var form = one.form();
        if (form == null) {
            return original;
        }
        var translation = forms.get(form);
        if (translation == null) {
            return null;
        }
        var event = translation.translate(Json.mapper().readTree(original), one.source(), mapping);
        return event == null ? null : event.toString().getBytes(StandardCharsets.UTF_8);
    }

    private Checked check(String tenant, Rejected one, byte[] original) {
        if (TelemetryItems.TYPE.equals(one.eventType())) {
            return readings.check(
                    tenant, Original.of(original), one.source(), one.rejectedAt(), clock.instant());
        }
        boolean idWasRequired =
                one.errors().stream()
                        .anyMatch(e ->
                                e.pointer().equals("/event_id") && e.code().equals("required"));
        var rules =
                new EventValidator.Rules(
                        false,
                        idWasRequired,
                        settings.maxEventBytes(),
                        one.rejectedAt(),
                        one.source(),
                        settings.clockTolerance());
        return events.checkAgain(
                tenant,
                original,
                rules,
                Objects.requireNonNull(one.rejectionId()),
                clock.instant());
    }
}
