package io.mirante.snapshot.behaviour;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import io.mirante.snapshot.CountedUpTo;
import io.swagger.v3.oas.annotations.Operation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** Funnels. */
@RestController
@RequestMapping("/api/v1/analytics/funnel")
class FunnelController {

    private final Funnels funnels;
    private final CountedUpTo countedUpTo;

    FunnelController(Funnels funnels, CountedUpTo countedUpTo) {
        this.funnels = funnels;
        this.countedUpTo = countedUpTo;
    }

    /**
     * One step of the answer.
     *
     * @param users persons who reached it
     * @param conversionFromPrevious share of those who reached the step before, [0, 1]; 1 for the first step
     * @param conversionFromFirst share of those who began, [0, 1]
     * @param dropOff persons who reached the step before and not this one
     * @param medianSecondsFromPrevious null when nobody reached it, and for the first step
     */
    record Step(
            String name,
            long users,
            double conversionFromPrevious,
            double conversionFromFirst,
            long dropOff,
            @Nullable Double medianSecondsFromPrevious,
            @Nullable Double averageSecondsFromPrevious) {}

    /**
     * The answer.
     *
     * @param totalUsers persons who reached the first step
     * @param breakdown the same of those with each value, 25 at most, of those without any and of all others; empty where none was
     *     asked for
     */
    record Answer(
            String funnelId,
            String funnelName,
            Instant asOf,
            long totalUsers,
            double overallConversionRate,
            List<Step> steps,
            List<Group> breakdown) {}

    /**
     * Persons with one value of the breakdown.
     *
     * @param value null = without any; {@code $other} = all values that are not listed
     */
    record Group(
            @Nullable String value,
            long totalUsers,
            double overallConversionRate,
            List<Step> steps) {}

    /** A person of a list; one of the two ids may be missing. */
    record Listed(@Nullable String userId, @Nullable String anonymousId) {}

    record People(Instant asOf, List<Listed> items, @Nullable String nextCursor) {}

    @PostMapping
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "How many people go through steps, in order, within a window",
            description =
                    "order sequential, the default: other events may lie between two steps; strict: no event of the person may lie"
                            + " between, of whatever type; any: steps may come in any order, step n of the answer is for those who did n"
                            + " of them. The window runs from the first step, its end included. A"
                            + " step's event is used once; an event at the same instant may follow. A person counts once,"
                            + " on the path that gets furthest, earliest start first. Events without a person are not"
                            + " looked at. start_time is included, end_time is not; both bound every event. Filters of a"
                            + " step must all hold; a property that is not there satisfies only neq. exclusions: events that must not"
                            + " lie between from_step (the first) and to_step (the last); with order any, nothing counts that"
                            + " comes after one. What lies between two steps is later than the one and earlier than the other. breakdown: the"
                            + " same by a property of the event a path begins with, data.…, country or device; the 25 values with most"
                            + " people, null for those without one, $other for the rest; 422 when there are more than 16,000 values.")
    Mono<Answer> ask(Caller caller, @RequestBody FunnelRequest request) {
        return Mono.fromCallable(request::toFunnel)
                .flatMap(funnel ->
                        countedUpTo.now().flatMap(asOf -> answer(caller, request, funnel, asOf)));
    }

    private Mono<Answer> answer(Caller caller, FunnelRequest request, Funnel funnel, Instant asOf) {
        return funnels.answer(caller.tenant(), funnel)
                .flatMap(result ->
                        funnels.keep(caller.tenant(), request)
                                .map(id -> answer(id, funnel, asOf, result)));
    }

    @GetMapping("/{funnelId}/users")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "People of a funnel that was asked before",
            description =
                    "step counts from 1. dropped=false, the default: who reached the step; dropped=true: who reached the"
                            + " step before it and not this one, which is the step's drop_off.")
    Mono<People> people(
            Caller caller,
            Paging paging,
            @PathVariable String funnelId,
            @RequestParam(defaultValue = "1") String step,
            @RequestParam(defaultValue = "false") String dropped) {
        return funnels.find(caller.tenant(), funnelId)
                .switchIfEmpty(Mono.error(() -> ProblemException.notFound("funnel " + funnelId)))
                .flatMap(funnel ->
                        countedUpTo
                                .now()
                                .flatMap(asOf ->
                                        funnels.people(
                                                        caller.tenant(),
                                                        funnel,
                                                        number(step, funnel),
                                                        truth(dropped),
                                                        after(paging),
                                                        paging.limit() + 1)
                                                .map(rows -> page(asOf, rows, paging))));
    }

    private static Answer answer(String id, Funnel funnel, Instant asOf, FunnelRun.Result result) {
        return new Answer(
                id,
                funnel.name(),
                asOf,
                result.steps().getFirst().users(),
                converted(result.steps()),
                steps(funnel, result.steps()),
                result.groups().stream()
                        .map(group ->
                                new Group(
                                        group.value(),
                                        group.steps().getFirst().users(),
                                        converted(group.steps()),
                                        steps(funnel, group.steps())))
                        .toList());
    }

    private static List<Step> steps(Funnel funnel, List<FunnelRun.Step> counted) {
        long first = counted.getFirst().users();
        var steps = new ArrayList<Step>();
        for (int i = 0; i < counted.size(); i++) {
            var step = counted.get(i);
            long before = i == 0 ? first : counted.get(i - 1).users();
            steps.add(
                    new Step(
                            funnel.steps().get(i).name(),
                            step.users(),
                            share(step.users(), before),
                            share(step.users(), first),
                            before - step.users(),
                            step.medianSeconds(),
                            step.averageSeconds()));
        }
        return steps;
    }

    private static double converted(List<FunnelRun.Step> steps) {
        return share(steps.getLast().users(), steps.getFirst().users());
    }

    private static double share(long part, long whole) {
        return whole == 0 ? 0 : (double) part / whole;
    }

    private static People page(Instant asOf, List<Funnels.Person> rows, Paging paging) {
        var page = Page.of(rows, paging.limit(), p -> Long.toString(p.personNo()));
        return new People(
                asOf,
                page.items().stream().map(p -> new Listed(p.userId(), p.anonymousId())).toList(),
                page.nextCursor());
    }

    private static int number(String text, Funnel funnel) {
        try {
            int step = Integer.parseInt(text);
            if (step >= 1 && step <= funnel.steps().size()) {
                return step;
            }
        } catch (NumberFormatException e) {
            // the same answer as for one out of range
        }
        throw ProblemException.malformed(
                "?step", "out_of_range", "step must be from 1 to " + funnel.steps().size());
    }

    private static boolean truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default ->
                    throw ProblemException.malformed(
                            "?dropped", "wrong_type", "dropped must be true or false");
        };
    }

    private static long after(Paging paging) {
        var after = paging.after();
        if (after == null) {
            return 0;
        }
        try {
            return Long.parseLong(after);
        } catch (NumberFormatException e) {
            throw ProblemException.malformed(
                    "?cursor", "invalid", "cursor must be the next_cursor of an earlier answer");
        }
    }
}
