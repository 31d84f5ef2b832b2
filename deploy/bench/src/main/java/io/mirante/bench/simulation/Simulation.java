package io.mirante.bench.simulation;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The shop, its support desk and its machines over time. Any day and any second can be made by itself, so streams are
 * lazy and restart anywhere. Immutable and thread-safe; streams are not shared.
 *
 * <p>For a load test take {@link #live(Instant, double)} with the arrival rate wanted; for many tenants, one simulation
 * with its own seed each.
 */
public final class Simulation {
    private static final Comparator<SimulatedEvent> IN_ORDER =
            Comparator.comparing(SimulatedEvent::sendAt)
                    .thenComparing(SimulatedEvent::fate)
                    .thenComparing(SimulatedEvent::id);

    /** Weight of each hour of the day, UTC; nothing starts so late that it would not end the same day. */
    private static final int[] HOURS = {
        1, 0, 0, 0, 0, 1, 2, 4, 6, 7, 8, 9, 9, 8, 7, 7, 8, 9, 10, 9, 6, 0, 0, 0
    };

    private static final int HOURS_TOTAL = IntStream.of(HOURS).sum();
    private static final double[] WEEKDAYS = {0.95, 0.9, 0.9, 1.0, 1.15, 1.2, 0.9};
    private static final int SUBSCRIPTION_DAYS = 28;

    /** Live gaps are this much shorter than in history, so that a visit passes within {@link #LIVE_SPAN_SECONDS}. */
    private static final double LIVE_PACE = 60;

    private static final int LIVE_SPAN_SECONDS = 60;
    private static final double EVENTS_PER_VISIT = 4.9;

    private final SimulationSettings settings;
    private final List<Person> people;
    private final String run;
    private final Shop shop;
    private final SupportDesk desk;
    private final Machines machines;

    public Simulation(SimulationSettings settings) {
        this.settings = settings;
        this.run = "sim" + settings.seed() + "-";
        this.shop = new Shop(run);
        this.desk = new SupportDesk(run);
        this.machines = new Machines(settings.seed(), settings.machines());
        double days = Duration.between(settings.start(), settings.end()).toMinutes() / 1440.0;
        this.people =
                IntStream.range(0, settings.people())
                        .mapToObj(number -> Person.draw(settings.seed(), number, days))
                        .toList();
    }

    public SimulationSettings settings() {
        return settings;
    }

    /** Everything sent before the settings' end, in the order in which it was sent, invalid and repeated ones included. */
    public Stream<SimulatedEvent> history() {
        long days =
                ChronoUnit.DAYS.between(
                        settings.start(), settings.end().plus(23, ChronoUnit.HOURS));
        return IntStream.rangeClosed(0, (int) days)
                .boxed()
                .flatMap(day -> day(day).stream())
                .filter(event -> event.sendAt().isBefore(settings.end()));
    }

    /**
     * Visits and support cases as they happen, without end: compressed to seconds, all valid, ids by the second.
     *
     * @param from first second; fractions are cut
     * @param eventsPerSecond mean arrival rate, above 0
     */
    public Stream<SimulatedEvent> live(Instant from, double eventsPerSecond) {
        if (!(eventsPerSecond > 0)) {
            throw new IllegalArgumentException(
                    "eventsPerSecond must be above 0, was " + eventsPerSecond);
        }
        long first = from.getEpochSecond();
        // What began within the span before is still going on.
        Map<Long, List<SimulatedEvent>> ahead = new HashMap<>();
        return LongStream.iterate(first - LIVE_SPAN_SECONDS, second -> second + 1)
                .boxed()
                .flatMap(second -> {
                    for (SimulatedEvent event : startingAt(second, eventsPerSecond)) {
                        ahead.computeIfAbsent(
                                        event.timestamp().getEpochSecond(),
                                        ignored -> new ArrayList<>())
                                .add(event);
                    }
                    List<SimulatedEvent> events = ahead.remove(second);
                    return events == null || second < first
                            ? Stream.empty()
                            : events.stream().sorted(IN_ORDER);
                });
    }

    /** The live events of one second, in order. */
    public List<SimulatedEvent> liveSecond(long epochSecond, double eventsPerSecond) {
        List<SimulatedEvent> events = new ArrayList<>();
        for (long start = epochSecond - LIVE_SPAN_SECONDS; start <= epochSecond; start++) {
            for (SimulatedEvent event : startingAt(start, eventsPerSecond)) {
                if (event.timestamp().getEpochSecond() == epochSecond) {
                    events.add(event);
                }
            }
        }
        events.sort(IN_ORDER);
        return events;
    }

    /** A burst of WhatsApp tickets, each with its SLA breach: two events per ticket, all valid. */
    public List<SimulatedEvent> incident(Instant at, int tickets) {
        Dice dice = new Dice(settings.seed(), 7, at.getEpochSecond());
        List<SimulatedEvent> events =
                new ArrayList<>(
                        desk.incident(dice, people, at, tickets, "i" + at.getEpochSecond()));
        events.sort(IN_ORDER);
        return events;
    }

    /** Telemetry of every machine, one reading a minute, in order of time. */
    public Stream<SimulatedReading> telemetry(Instant from, Instant to) {
        return machines.minutes(from, to);
    }

    /** Telemetry of every machine for the second that ends at the given instant. */
    public List<SimulatedReading> liveTelemetry(long epochSecond) {
        return machines.second(epochSecond);
    }

    public List<String> machineIds() {
        return machines.ids();
    }

    /** User ids of customers who have left before an instant, having been there before; the truth behind churn. */
    public boolean hasLeft(String userId, Instant at) {
        int number = Integer.parseInt(userId.substring(userId.indexOf('-') + 1));
        return people.get(number).leavesOnDay() <= dayOf(at);
    }

    private double dayOf(Instant at) {
        return Duration.between(settings.start(), at).toSeconds() / 86_400.0;
    }

    private List<SimulatedEvent> day(int day) {
        Instant midnight = settings.start().plus(day, ChronoUnit.DAYS);
        List<SimulatedEvent> events = new ArrayList<>();
        people.forEach(person -> customersDay(person, day, midnight, events));
        visitorsDay(day, midnight, events);
        spoil(day, midnight, events);
        events.sort(IN_ORDER);
        return events;
    }

    private void customersDay(Person person, int day, Instant midnight, List<SimulatedEvent> out) {
        boolean joins = person.joinsOn(day);
        double activity = person.activity(day);
        Dice dice = new Dice(settings.seed(), 2, person.number(), day);
        subscriptions(person, day, midnight, out);
        if (activity == 0) {
            return;
        }
        double weekday =
                WEEKDAYS[midnight.atOffset(java.time.ZoneOffset.UTC).getDayOfWeek().getValue() - 1];
        double mean =
                person.segment().sessionsPerWeek / 7 * person.eagerness() * activity * weekday;
        int visits = Math.min(3, dice.poisson(mean) + (joins ? 1 : 0));
        int firstHour = -1;
        for (int visit = 0; visit < visits; visit++) {
            int hour = Math.max(firstHour + 1, hour(dice));
            if (hour > 20) {
                break;
            }
            firstHour = hour;
            Instant at = midnight.plusMillis((long) ((hour + dice.uniform()) * 3_600_000));
            String name = "p" + person.number() + "d" + day + "v" + visit;
            List<SimulatedEvent> events =
                    shop.visit(dice, person, at, activity, joins && visit == 0, name, 1);
            out.addAll(events);
            double trouble = activity < 1 ? 0.75 : 0.15;
            if (dice.chance(activity < 1 ? 0.16 : 0.05)) {
                Instant end = events.getLast().timestamp().plusSeconds(60);
                out.addAll(desk.conversation(dice, person, end, trouble, name + "c", 1));
            }
        }
    }

    private void subscriptions(Person person, int day, Instant midnight, List<SimulatedEvent> out) {
        if (!person.subscriber()) {
            return;
        }
        String name = "p" + person.number() + "d" + day + "u";
        // After the day's last visit could have begun, so that a sign-up always comes first.
        Instant at = midnight.plus(22, ChronoUnit.HOURS).plusSeconds(person.number() % 3600);
        if ((int) person.leavesOnDay() == day) {
            out.addAll(shop.subscription(person, "subscription_cancelled", at, name));
        } else if (person.joinsOn(day)) {
            out.addAll(shop.subscription(person, "subscription_started", at, name));
        } else if (day > person.joinsOnDay() && day < person.leavesOnDay()) {
            int since =
                    person.joinsOnDay() < 0
                            ? day + person.number()
                            : day - (int) person.joinsOnDay();
            if (since % SUBSCRIPTION_DAYS == 0) {
                out.addAll(shop.subscription(person, "subscription_renewed", at, name));
            }
        }
    }

    private void visitorsDay(int day, Instant midnight, List<SimulatedEvent> out) {
        Dice dice = new Dice(settings.seed(), 3, day);
        int visits = (int) (settings.people() * 0.05 * (0.8 + 0.4 * dice.uniform()));
        for (int visit = 0; visit < visits; visit++) {
            // Most visitors come once; some come back under the same browser.
            int visitor =
                    dice.chance(0.75)
                            ? day * 100_000 + visit
                            : dice.below(Math.max(1, settings.people() / 8));
            Instant at = midnight.plusMillis((long) ((hour(dice) + dice.uniform()) * 3_600_000));
            out.addAll(shop.anonymousVisit(dice, visitor, at, "a" + day + "v" + visit, 1));
        }
    }

    private static int hour(Dice dice) {
        int roll = dice.below(HOURS_TOTAL);
        for (int hour = 0; hour < HOURS.length; hour++) {
            roll -= HOURS[hour];
            if (roll < 0) {
                return hour;
            }
        }
        return 12;
    }

    /** Adds the day's repeats and its events that no contract accepts. */
    private void spoil(int day, Instant midnight, List<SimulatedEvent> events) {
        Dice dice = new Dice(settings.seed(), 4, day);
        Instant end = midnight.plus(1, ChronoUnit.DAYS);
        List<SimulatedEvent> extra = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            SimulatedEvent event = events.get(i);
            if (dice.chance(settings.duplicateShare())) {
                Instant again = event.sendAt().plusSeconds(1 + dice.below(600));
                if (again.isBefore(end)) {
                    extra.add(event.again(again));
                }
            }
            if (dice.chance(settings.invalidShare())) {
                extra.add(
                        Invalid.of(
                                dice.below(Invalid.KINDS),
                                run + "bad-d" + day + "-" + i,
                                event.timestamp()));
            }
        }
        events.addAll(extra);
    }

    private List<SimulatedEvent> startingAt(long epochSecond, double eventsPerSecond) {
        Dice dice = new Dice(settings.seed(), 5, epochSecond);
        List<SimulatedEvent> events = new ArrayList<>();
        double mean = eventsPerSecond / EVENTS_PER_VISIT;
        int visits = (int) mean + (dice.chance(mean - (int) mean) ? 1 : 0);
        Instant second = Instant.ofEpochSecond(epochSecond);
        double day = dayOf(second);
        for (int visit = 0; visit < visits; visit++) {
            Instant at = second.plusMillis(dice.below(1000));
            String name = "l" + epochSecond + "v" + visit;
            Person person = people.get(dice.below(people.size()));
            if (person.activity(day) == 0) {
                events.addAll(
                        shop.anonymousVisit(dice, dice.below(1_000_000), at, name, LIVE_PACE));
                continue;
            }
            events.addAll(
                    shop.visit(dice, person, at, person.activity(day), false, name, LIVE_PACE));
            if (dice.chance(0.06)) {
                events.addAll(desk.conversation(dice, person, at, 0.3, name + "c", LIVE_PACE * 4));
            }
        }
        events.removeIf(
                event -> event.timestamp().getEpochSecond() > epochSecond + LIVE_SPAN_SECONDS);
        return events;
    }

    /** Events that are wrong in one known way each. */
    private static final class Invalid {
        static final int KINDS = 7;

        static SimulatedEvent of(int kind, String id, Instant at) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("event_id", id);
            body.put("user_id", "shop-000000");
            body.put("timestamp", at.toString());
            Map<String, Object> purchase = new LinkedHashMap<>();
            purchase.put("amount", "19.90");
            purchase.put("currency", "USD");
            Map<String, Object> type = new LinkedHashMap<>();
            type.put("type", "Purchase");
            type.put("data", purchase);
            body.put("event_type", type);
            switch (kind) {
                case 0 -> body.remove("user_id");
                case 1 -> purchase.remove("amount");
                case 2 -> purchase.put("amount", "twelve");
                case 3 -> body.put("timestamp", "yesterday");
                case 4 -> body.remove("event_type");
                case 5 -> type.put("data", List.of(1, 2));
                default -> body.remove("event_id");
            }
            return new SimulatedEvent(at, Fate.INVALID, id, "purchase", at, null, null, body);
        }
    }
}
