package io.mirante.snapshot.windows;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.mirante.contracts.metrics.DerivedMetric;
import io.mirante.contracts.metrics.MetricCatalog;
import io.mirante.contracts.metrics.MetricEntry;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CountedUpTo;
import io.mirante.snapshot.windows.Windows.Place;
import io.mirante.snapshot.windows.Windows.Stored;
import io.mirante.snapshot.windows.Windows.Wanted;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** Windows and the catalogue of what they hold. */
@RestController
class SnapshotController {

    private static final int MAX_COMPARED = 10_000;

    private final Windows windows;
    private final CountedUpTo countedUpTo;

    SnapshotController(Windows windows, CountedUpTo countedUpTo) {
        this.windows = windows;
        this.countedUpTo = countedUpTo;
    }

    /**
     * A window as answered.
     *
     * @param complete {@code as_of} lies at or after the end; a late event may still change the window
     * @param previous with {@code compare=previous}: the metrics of the same window the range's length earlier
     */
    record Item(
            String scope,
            String granularity,
            Instant start,
            Instant end,
            Map<String, String> dimensions,
            Map<String, @Nullable Object> metrics,
            long revision,
            boolean complete,
            @JsonInclude(JsonInclude.Include.NON_NULL)
                    @Nullable Map<String, @Nullable Object> previous) {}

    record Snapshots(Instant asOf, List<Item> items, @Nullable String nextCursor) {}

    record Catalogue(List<String> scopes, List<MetricEntry> metrics, List<DerivedMetric> derived) {}

    @GetMapping("/api/v1/snapshots")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "Counts and sums by hour or day, newest first",
            description =
                    "Parameters: scope (required), granularity (hourly, the default, or daily), start_time (included),"
                            + " end_time (not included), dimension.<name>, metrics (names, comma-separated; ratios only"
                            + " when asked for), compare=previous, limit, cursor. One item per stored combination of"
                            + " dimensions.")
    Mono<Snapshots> snapshots(
            Caller caller,
            Paging paging,
            @Parameter(hidden = true) @RequestParam MultiValueMap<String, String> query) {
        return Mono.fromCallable(() -> SnapshotQuestion.of(query))
                .flatMap(question -> answer(caller.tenant(), question, paging));
    }

    @GetMapping("/api/v1/metrics/catalog")
    @PreAuthorize(Scopes.VIEW)
    @Operation(summary = "Every metric: scope, meaning, unit, dimensions")
    Mono<Catalogue> catalogue() {
        return Mono.just(
                new Catalogue(
                        MetricCatalog.scopes(), MetricCatalog.entries(), MetricCatalog.derived()));
    }

    private Mono<Snapshots> answer(String tenant, SnapshotQuestion question, Paging paging) {
        var wanted = wanted(question, question.range(), place(paging), paging.limit() + 1);
        return countedUpTo
                .now()
                .flatMap(asOf ->
                        windows.read(tenant, wanted)
                                .flatMap(rows ->
                                        previous(tenant, question)
                                                .map(before ->
                                                        page(
                                                                question, asOf, rows, before,
                                                                paging))));
    }

    private static Wanted wanted(
            SnapshotQuestion question, TimeRange range, Optional<Place> after, int limit) {
        return new Wanted(
                question.scope(),
                question.granularity(),
                range,
                question.dimensions(),
                after,
                limit);
    }

    private Mono<Map<Place, Stored>> previous(String tenant, SnapshotQuestion question) {
        if (!question.comparePrevious()) {
            return Mono.just(Map.of());
        }
        var before =
                wanted(question, question.range().before(), Optional.empty(), MAX_COMPARED + 1);
        return windows.read(tenant, before)
                .map(rows -> {
                    if (rows.size() > MAX_COMPARED) {
                        throw ProblemException.impossible(
                                "too-much-to-compare",
                                "the period before has more than %d windows; ask for a shorter range or one dimension"
                                        .formatted(MAX_COMPARED));
                    }
                    return rows.stream().collect(Collectors.toMap(Stored::place, r -> r));
                });
    }

    private static Snapshots page(
            SnapshotQuestion question,
            Instant asOf,
            List<Stored> rows,
            Map<Place, Stored> before,
            Paging paging) {
        var page = Page.of(rows, paging.limit(), SnapshotController::cursor);
        var length = Duration.between(question.range().start(), question.range().end());
        var items =
                page.items().stream()
                        .map(row ->
                                item(
                                        question,
                                        asOf,
                                        row,
                                        question.comparePrevious()
                                                ? earlier(row, length, before)
                                                : null))
                        .toList();
        return new Snapshots(asOf, items, page.nextCursor());
    }

    /** Metrics of the same window earlier; empty when there was nothing. */
    private static Map<String, java.math.BigDecimal> earlier(
            Stored row, Duration length, Map<Place, Stored> before) {
        var place = new Place(row.start().minus(length).toString(), Window.text(row.dimensions()));
        var found = before.get(place);
        return found == null ? Map.of() : found.metrics();
    }

    private static Item item(
            SnapshotQuestion question,
            Instant asOf,
            Stored row,
            @Nullable Map<String, java.math.BigDecimal> previous) {
        return new Item(
                question.scope(),
                question.granularity().wireName(),
                row.start(),
                row.end(),
                row.dimensions(),
                question.answer(row.metrics()),
                row.revision(),
                !asOf.isBefore(row.end()),
                previous == null ? null : question.answer(previous));
    }

    private static String cursor(Stored row) {
        var place = row.place();
        return place.start() + place.dimensions();
    }

    private static Optional<Place> place(Paging paging) {
        var after = paging.after();
        if (after == null) {
            return Optional.empty();
        }
        if (!(after.length() >= 22 && after.indexOf('\0') < 0)) {
            throw ProblemException.malformed(
                    "?cursor", "invalid", "cursor must be the next_cursor of an earlier answer");
        }
        return Optional.of(new Place(after.substring(0, 20), after.substring(20)));
    }
}
