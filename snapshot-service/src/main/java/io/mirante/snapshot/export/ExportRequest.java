package io.mirante.snapshot.export;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.mirante.contracts.events.EventTypes;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeRange;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A file as a client asks for it, and as a job keeps it.
 *
 * @param format {@code csv}, {@code json}, {@code ndjson} or {@code parquet}
 * @param dataset {@code events} when missing
 * @param asynchronously a job makes the file, to be downloaded later
 */
record ExportRequest(
        @Nullable String format,
        @Nullable String dataset,
        @Nullable Filters filters,
        @JsonProperty("async") @Nullable Boolean asynchronously) {

    /** Most ids, and most types, of a request. */
    private static final int MOST = 1_000;

    /**
     * Conditions, all of which hold.
     *
     * @param startTime included
     * @param endTime not included
     */
    record Filters(
            @Nullable List<@Nullable String> userIds,
            @Nullable List<@Nullable String> eventTypes,
            @Nullable Instant startTime,
            @Nullable Instant endTime) {}

    boolean isAsynchronous() {
        return Boolean.TRUE.equals(asynchronously);
    }

    /**
     * What it asks for.
     *
     * @throws ProblemException 400 that names every field that is wrong
     */
    Export toExport(Collection<Dataset> datasets) {
        var errors = new ArrayList<FieldError>();
        var form = format == null ? null : ExportFormat.find(format).orElse(null);
        if (form == null) {
            errors.add(
                    new FieldError(
                            "/format",
                            format == null ? "required" : "unknown_value",
                            "format must be one of " + ExportFormat.names()));
        }
        var name = dataset == null ? "events" : dataset;
        var known = datasets.stream().filter(d -> d.name().equals(name)).findFirst();
        if (known.isEmpty()) {
            errors.add(
                    new FieldError(
                            "/dataset",
                            "unknown_value",
                            "dataset must be one of "
                                    + datasets.stream()
                                            .map(Dataset::name)
                                            .sorted()
                                            .collect(Collectors.joining(", "))));
        }
        var wanted = filters == null ? new Filters(null, null, null, null) : filters;
        var users = texts("user_ids", wanted.userIds(), errors);
        var types =
                texts("event_types", wanted.eventTypes(), errors).stream()
                        .map(EventTypes::canonicalName)
                        .toList();
        known.ifPresent(of -> {
            refuse(of, Dataset.Filter.USER_IDS, !users.isEmpty(), errors);
            refuse(of, Dataset.Filter.EVENT_TYPES, !types.isEmpty(), errors);
            refuse(
                    of,
                    Dataset.Filter.TIMES,
                    wanted.startTime() != null || wanted.endTime() != null,
                    errors);
        });
        if (form == null || !errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        return new Export(
                form,
                name,
                new Export.Wanted(
                        users, types, TimeRange.ofBody(wanted.startTime(), wanted.endTime())));
    }

    private static void refuse(
            Dataset dataset, Dataset.Filter filter, boolean given, List<FieldError> errors) {
        if (given && !dataset.filters().contains(filter)) {
            errors.add(
                    new FieldError(
                            "/filters/" + filter.field(),
                            "unsupported",
                            "%s cannot be filtered by %s; leave it out"
                                    .formatted(dataset.name(), filter.field())));
        }
    }

    private static List<String> texts(
            String field, @Nullable List<@Nullable String> given, List<FieldError> errors) {
        var texts = new ArrayList<String>();
        if (given == null) {
            return texts;
        }
        if (given.size() > MOST) {
            errors.add(
                    new FieldError(
                            "/filters/" + field,
                            "too_many",
                            "%s may hold at most %,d".formatted(field, MOST)));
            return texts;
        }
        for (int i = 0; i < given.size(); i++) {
            var text = given.get(i);
            if (text == null || text.isEmpty() || text.indexOf('\0') >= 0) {
                errors.add(
                        new FieldError(
                                "/filters/%s/%d".formatted(field, i),
                                "invalid",
                                field + " must hold texts that are not empty, without NUL"));
            } else {
                texts.add(text);
            }
        }
        return texts;
    }
}
