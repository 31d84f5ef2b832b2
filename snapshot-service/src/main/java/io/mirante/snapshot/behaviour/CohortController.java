package io.mirante.snapshot.behaviour;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CountedUpTo;
import io.mirante.snapshot.lake.LakeReader;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** Cohorts: who comes back, by when they began. */
@RestController
class CohortController {

    private final LakeReader lake;
    private final TenantDatabase database;
    private final Tenants tenants;
    private final CountedUpTo countedUpTo;
    private final Clock clock;

    CohortController(
            LakeReader lake,
            TenantDatabase database,
            Tenants tenants,
            CountedUpTo countedUpTo,
            Clock clock) {
        this.lake = lake;
        this.database = database;
        this.tenants = tenants;
        this.countedUpTo = countedUpTo;
        this.clock = clock;
    }

    /**
     * Who began in one period.
     *
     * @param cohort first day of the period
     * @param retained persons who came back, by period after; [0] is the size; null where the period has not begun
     * @param rates the same as shares of the size, [0, 1]
     * @param complete whether the period is over
     */
    record Cohort(
            LocalDate cohort,
            long size,
            List<@Nullable Long> retained,
            List<@Nullable Double> rates,
            List<Boolean> complete) {}

    /**
     * The answer.
     *
     * @param averageRates by period after, persons who came back by persons who began, over the cohorts for which the period is
     *     over; null where there is none
     */
    record Answer(Instant asOf, List<Cohort> cohorts, List<@Nullable Double> averageRates) {}

    @PostMapping("/api/v1/analytics/cohort")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "How many of those who began in a period come back in later ones",
            description =
                    "mode first_time, the default: a person is of the cohort of their first cohort_event ever; recurring: of"
                            + " each period in which they have one. granularity is day, week (the default, from Monday) or month,"
                            + " of timezone or the tenant's own; periods (12) counts the cohort's own. start_time is included,"
                            + " end_time (default: now) is not; both bound the cohorts' beginnings, without start_time there are as"
                            + " many cohorts as periods. Period 0 holds the size. A period that has not begun is null; one that is not over is not"
                            + " complete. Events without a person are not looked at.")
    Mono<Answer> ask(Caller caller, @RequestBody CohortRequest request) {
        return Mono.fromCallable(() ->
                        request.toQuestion(
                                tenants.settings(caller.tenant()).zone(), clock.instant()))
                .flatMap(question ->
                        countedUpTo
                                .now()
                                .flatMap(asOf ->
                                        counts(caller.tenant(), question)
                                                .map(counts -> answer(question, counts, asOf))));
    }

    private Mono<long[][]> counts(String tenant, CohortRequest.Question question) {
        return MergedPersons.read(tenant, database)
                .flatMap(merged -> lake.ask(() -> counts(tenant, question, merged)));
    }

    private long[][] counts(
            String tenant, CohortRequest.Question question, MergedPersons.Merged merged) {
        return lake.read(
                        tenant,
                        scan(question),
                        () ->
                                new CohortCounts(
                                        question.times(),
                                        merged,
                                        question.firstTime(),
                                        micros(question.range().start()),
                                        micros(question.range().end())))
                .retained(question.cohorts(), question.following());
    }

    /** Before the range only beginnings are asked for, and only where the first ever counts. */
    private static LakeReader.Scan scan(CohortRequest.Question question) {
        var times = question.times();
        var first = instant(times.begin(0));
        var last = instant(times.begin(times.size()));
        var range =
                new TimeRange(
                        question.firstTime() || first.isBefore(TimeRange.FIRST)
                                ? TimeRange.FIRST
                                : first,
                        last.isAfter(TimeRange.LAST) ? TimeRange.LAST : last);
        return new LakeReader.Scan(
                range,
                Stream.of(question.begins(), question.returns()).distinct().toList(),
                "CASE WHEN event_type = $1 THEN %d ELSE 0 END | CASE WHEN event_type = $2 THEN %d ELSE 0 END"
                        .formatted(CohortCounts.BEGINS, CohortCounts.RETURNS),
                List.of(question.begins(), question.returns()),
                null);
    }

    private static Answer answer(CohortRequest.Question question, long[][] retained, Instant asOf) {
        var times = question.times();
        long now = micros(asOf);
        var cohorts = new ArrayList<Cohort>();
        var persons = new long[question.following()];
        var back = new long[question.following()];
        for (int c = 0; c < question.cohorts(); c++) {
            var counts = new ArrayList<@Nullable Long>();
            var rates = new ArrayList<@Nullable Double>();
            var complete = new ArrayList<Boolean>();
            long size = retained[c][0];
            for (int i = 0; i < question.following(); i++) {
                boolean begun = times.begin(c + i) <= now;
                boolean over = times.begin(c + i + 1) <= now;
                counts.add(begun ? retained[c][i] : null);
                rates.add(begun ? share(retained[c][i], size) : null);
                complete.add(over);
                if (over) {
                    persons[i] += size;
                    back[i] += retained[c][i];
                }
            }
            cohorts.add(new Cohort(times.day(c), size, counts, rates, complete));
        }
        var average = new ArrayList<@Nullable Double>();
        for (int i = 0; i < question.following(); i++) {
            average.add(persons[i] == 0 ? null : (double) back[i] / persons[i]);
        }
        return new Answer(asOf, cohorts, average);
    }

    private static double share(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }

    private static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
