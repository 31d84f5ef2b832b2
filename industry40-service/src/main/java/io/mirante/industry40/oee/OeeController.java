package io.mirante.industry40.oee;

import io.mirante.contracts.Topics;
import io.mirante.industry40.telemetry.Readings;
import io.mirante.industry40.telemetry.Readings.Sample;
import io.mirante.platform.messaging.AsOf;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.Scopes;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
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

/** {@code /industry40/oee}: from the figures given, or from telemetry where only machine and times are. */
@RestController
@RequestMapping("/api/v1/industry40/oee")
class OeeController {

    private static final Duration LONGEST = Duration.ofDays(31);

    private final Readings readings;
    private final AsOf asOf;

    OeeController(Readings readings, AsOf asOf) {
        this.readings = readings;
        this.asOf = asOf;
    }

    /** The contract's body; what is null is taken from telemetry or as 0. */
    record Request(
            @Nullable String machineId,
            @Nullable Instant startTime,
            @Nullable Instant endTime,
            @Nullable String convention,
            @Nullable Double plannedOperationMinutes,
            @Nullable Double plannedDowntimeMinutes,
            @Nullable Double setupMinutes,
            @Nullable Double breakdownMinutes,
            @Nullable Double minorStopMinutes,
            @Nullable Double idealCycleSeconds,
            @Nullable Double produced,
            @Nullable Double good) {}

    @PostMapping("/calculate")
    @PreAuthorize(Scopes.VIEW)
    Mono<Oee> calculate(@RequestBody Request request, Caller caller) {
        var convention = convention(request.convention());
        checkTimes(request.startTime(), request.endTime());
        if (request.plannedOperationMinutes() == null
                && request.machineId() != null
                && request.startTime() != null
                && request.endTime() != null) {
            return fromTelemetry(
                    caller.tenant(),
                    request.machineId(),
                    request.startTime(),
                    request.endTime(),
                    request.idealCycleSeconds(),
                    convention);
        }
        return Mono.fromCallable(() -> compute(given(request), convention));
    }

    @GetMapping("/{machineId}")
    @PreAuthorize(Scopes.VIEW)
    Mono<Oee> ofMachine(
            @PathVariable String machineId,
            @RequestParam("start_time") Instant startTime,
            @RequestParam("end_time") Instant endTime,
            @RequestParam(name = "ideal_cycle_seconds", required = false) @Nullable Double ideal,
            @RequestParam(name = "convention", required = false) @Nullable String convention,
            Caller caller) {
        checkTimes(startTime, endTime);
        return fromTelemetry(
                caller.tenant(), machineId, startTime, endTime, ideal, convention(convention));
    }

    private Mono<Oee> fromTelemetry(
            String tenant,
            String machine,
            Instant start,
            Instant end,
            @Nullable Double idealCycleSeconds,
            Oee.Convention convention) {
        return asOf.of("storeTelemetry", Topics.TELEMETRY_RAW)
                .flatMap(complete ->
                        Mono.zip(
                                readings.between(tenant, machine, "running", start, end),
                                readings.between(tenant, machine, "produced", start, end),
                                readings.between(tenant, machine, "good", start, end),
                                Mono.just(complete)))
                .map(all ->
                        measured(
                                machine,
                                start,
                                end,
                                idealCycleSeconds,
                                convention,
                                all.getT1(),
                                all.getT2(),
                                all.getT3(),
                                all.getT4()));
    }

    private static Oee measured(
            String machine,
            Instant start,
            Instant end,
            @Nullable Double idealCycleSeconds,
            Oee.Convention convention,
            List<Sample> running,
            List<Sample> produced,
            List<Sample> good,
            Instant completeTo) {
        if (running.isEmpty() || produced.isEmpty() || good.isEmpty()) {
            throw ProblemException.impossible(
                    "no-telemetry",
                    "machine %s has no readings of running (1 or 0), produced and good (pieces since the reading before) in that period; send them, or give the figures"
                            .formatted(machine));
        }
        var warnings = new ArrayList<String>();
        var time = RunTime.of(running, start, end);
        if (time.unknownMinutes() > 0) {
            warnings.add(
                    String.format(
                            Locale.ROOT,
                            "%.1f minutes without readings are left out of the planned time",
                            time.unknownMinutes()));
        }
        double cycle;
        if (idealCycleSeconds == null) {
            double best = bestMinute(produced);
            if (!(best > 0)) {
                throw ProblemException.impossible(
                        "no-production", "nothing was produced: give ideal_cycle_seconds");
            }
            cycle = 60 / best;
            warnings.add(
                    String.format(
                            Locale.ROOT,
                            "ideal_cycle_seconds was not given: %.2f is taken from the best minute of the period",
                            cycle));
        } else {
            cycle = idealCycleSeconds;
        }
        var figures =
                new Oee.Figures(
                        Duration.between(start, end).toMillis() / 60_000.0,
                        time.knownMinutes(),
                        0,
                        0,
                        time.breakdownMinutes(),
                        time.minorStopMinutes(),
                        cycle,
                        produced.stream().mapToDouble(Sample::value).sum(),
                        good.stream().mapToDouble(Sample::value).sum());
        return compute(figures, convention).measured(warnings, completeTo);
    }

    private static double bestMinute(List<Sample> produced) {
        return produced.stream()
                .collect(
                        Collectors.groupingBy(
                                s -> s.at().truncatedTo(ChronoUnit.MINUTES),
                                Collectors.summingDouble(Sample::value)))
                .values()
                .stream()
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(0);
    }

    private static Oee.Figures given(Request r) {
        var start = r.startTime();
        var end = r.endTime();
        return new Oee.Figures(
                start == null || end == null
                        ? null
                        : Double.valueOf(Duration.between(start, end).toMillis() / 60_000.0),
                required(r.plannedOperationMinutes(), "planned_operation_minutes"),
                orZero(r.plannedDowntimeMinutes()),
                orZero(r.setupMinutes()),
                orZero(r.breakdownMinutes()),
                orZero(r.minorStopMinutes()),
                required(r.idealCycleSeconds(), "ideal_cycle_seconds"),
                required(r.produced(), "produced"),
                required(r.good(), "good"));
    }

    private static Oee compute(Oee.Figures figures, Oee.Convention convention) {
        try {
            return Oee.of(figures, convention);
        } catch (IllegalArgumentException e) {
            throw ProblemException.impossible("impossible-figures", String.valueOf(e.getMessage()));
        }
    }

    private static double required(@Nullable Double value, String field) {
        if (value == null) {
            throw ProblemException.malformed(
                    "/" + field,
                    "required",
                    field
                            + " is required, unless machine_id, start_time and end_time alone are given");
        }
        return value;
    }

    private static double orZero(@Nullable Double value) {
        return Objects.requireNonNullElse(value, 0.0);
    }

    private static Oee.Convention convention(@Nullable String text) {
        return switch (text) {
            case null -> Oee.Convention.ISO22400;
            case "iso22400" -> Oee.Convention.ISO22400;
            case "nakajima" -> Oee.Convention.NAKAJIMA;
            default ->
                    throw ProblemException.malformed(
                            "/convention", "unknown", "convention must be iso22400 or nakajima");
        };
    }

    private static void checkTimes(@Nullable Instant start, @Nullable Instant end) {
        if (start != null && end != null) {
            if (!end.isAfter(start)) {
                throw ProblemException.malformed(
                        "/end_time", "out_of_range", "end_time must be after start_time");
            }
            if (Duration.between(start, end).compareTo(LONGEST) > 0) {
                throw ProblemException.malformed(
                        "/end_time", "out_of_range", "the period must not be longer than 31 days");
            }
        }
    }
}
