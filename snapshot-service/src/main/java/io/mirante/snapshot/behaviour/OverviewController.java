package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.CountedUpTo;
import io.swagger.v3.oas.annotations.Operation;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** The overview of a time range against the one before. */
@RestController
class OverviewController {

    private static final Duration DEFAULT_LENGTH = Duration.ofDays(30);

    private final Overview overview;
    private final CountedUpTo countedUpTo;
    private final Clock clock;

    OverviewController(Overview overview, CountedUpTo countedUpTo, Clock clock) {
        this.overview = overview;
        this.countedUpTo = countedUpTo;
        this.clock = clock;
    }

    /**
     * A figure and the same of the period before, of the same length.
     *
     * @param value a count, or an amount as decimal text
     * @param change (value − previous) / previous; null when previous is 0
     */
    record Figure(Object value, Object previous, @Nullable BigDecimal change) {

        static Figure count(long value, long previous) {
            return new Figure(
                    value,
                    previous,
                    change(BigDecimal.valueOf(value), BigDecimal.valueOf(previous)));
        }

        static Figure amount(BigDecimal value, BigDecimal previous) {
            return new Figure(
                    value.toPlainString(), previous.toPlainString(), change(value, previous));
        }

        private static @Nullable BigDecimal change(BigDecimal value, BigDecimal previous) {
            if (previous.signum() == 0) {
                return null;
            }
            var change =
                    value.subtract(previous)
                            .divide(previous, MathContext.DECIMAL32)
                            .stripTrailingZeros();
            return change.scale() < 0 ? change.setScale(0) : change;
        }
    }

    record Answer(
            Instant asOf,
            Figure events,
            Figure users,
            Figure sessions,
            Figure newUsers,
            Figure returningUsers,
            Figure revenue,
            Overview.Top top) {}

    @GetMapping("/api/v1/analytics/overview")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "Events, users, sessions, revenue and what is on top",
            description =
                    "start_time is included, end_time is not; without them the last 30 days. Users are persons with an"
                            + " event in the range; new ones have their first event ever in it. Revenue sums purchases in"
                            + " the tenant's currency.")
    Mono<Answer> overview(
            Caller caller,
            @RequestParam(name = "start_time", required = false) @Nullable String startTime,
            @RequestParam(name = "end_time", required = false) @Nullable String endTime) {
        return Mono.fromCallable(() ->
                        TimeRange.ofQuery(startTime, endTime, clock.instant(), DEFAULT_LENGTH))
                .flatMap(range -> answer(caller.tenant(), range));
    }

    private Mono<Answer> answer(String tenant, TimeRange range) {
        return countedUpTo
                .now()
                .flatMap(asOf ->
                        Mono.zip(
                                        overview.totals(tenant, range),
                                        overview.totals(tenant, range.before()),
                                        overview.top(tenant, range))
                                .map(t -> answer(asOf, t.getT1(), t.getT2(), t.getT3())));
    }

    private static Answer answer(
            Instant asOf, Overview.Totals now, Overview.Totals before, Overview.Top top) {
        return new Answer(
                asOf,
                Figure.count(now.events(), before.events()),
                Figure.count(now.users(), before.users()),
                Figure.count(now.sessions(), before.sessions()),
                Figure.count(now.newUsers(), before.newUsers()),
                Figure.count(now.returningUsers(), before.returningUsers()),
                Figure.amount(now.revenue(), before.revenue()),
                top);
    }
}
