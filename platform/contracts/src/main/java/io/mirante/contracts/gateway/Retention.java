package io.mirante.contracts.gateway;

import io.mirante.contracts.events.Module;
import java.time.Period;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How long a tenant's data stay, counted from receipt. A missing one is its default.
 *
 * @param rawEvents event log and lake, 90 days; what {@code csat} and {@code modules} do not name
 * @param snapshots 24 months
 * @param csat events {@code csat.submitted}, 24 months
 * @param predictions history, 24 months
 * @param rejected originals of rejected events, 14 days
 * @param backups 30 days
 * @param modules raw events of modules with a period of their own, by wire name; none
 */
public record Retention(
        Period rawEvents,
        Period snapshots,
        Period csat,
        Period predictions,
        Period rejected,
        Period backups,
        Map<String, Period> modules) {

    /** The event type that {@code csat} is about. */
    public static final String CSAT = "csat.submitted";

    private static final Period LONGEST = Period.ofYears(10);

    /** The defaults. */
    public static final Retention DEFAULT = of(null, null, null, null, null, null, null);

    public Retention {
        rawEvents = checked("raw_events", rawEvents, Period.ofDays(90));
        snapshots = checked("snapshots", snapshots, Period.ofMonths(24));
        csat = checked("csat", csat, Period.ofMonths(24));
        predictions = checked("predictions", predictions, Period.ofMonths(24));
        rejected = checked("rejected", rejected, Period.ofDays(14));
        backups = checked("backups", backups, Period.ofDays(30));
        modules = modules == null ? Map.of() : Map.copyOf(modules);
        modules.forEach((module, period) -> {
            if (Module.find(module) == null) {
                throw new InvalidSettingException(
                        "/modules/" + module,
                        "invalid",
                        "modules must name one of %s, was %s".formatted(Module.allNames(), module));
            }
            checked("modules/" + module, period, period);
        });
    }

    @SuppressWarnings("NullAway") // the constructor puts the default where null is
    private static Retention of(
            @Nullable Period rawEvents,
            @Nullable Period snapshots,
            @Nullable Period csat,
            @Nullable Period predictions,
            @Nullable Period rejected,
            @Nullable Period backups,
            @Nullable Map<String, Period> modules) {
        return new Retention(rawEvents, snapshots, csat, predictions, rejected, backups, modules);
    }

    private static Period checked(String field, @Nullable Period given, Period usual) {
        if (given == null) {
            return usual;
        }
        if (!(days(given) >= 1
                && days(given) <= days(LONGEST)
                && given.getDays() >= 0
                && given.getMonths() >= 0
                && given.getYears() >= 0)) {
            throw new InvalidSettingException(
                    "/" + field,
                    "out_of_range",
                    "%s must be from P1D to P10Y, was %s".formatted(field, given));
        }
        return given;
    }

    private static long days(Period period) {
        return period.toTotalMonths() * 31L + period.getDays();
    }
}
