package io.mirante.segmentation.profile;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the events of a poll change for one user, by day, gathered before it is stored. Every part can be added to what is there
 * in any order: sums, smallest and largest, sets. Not thread-safe.
 */
final class ProfileChange {

    /** An event without a session id belongs to the session of those at most this long before. */
    static final Duration SESSION_GAP = Duration.ofMinutes(30);

    final String tenant;
    final String user;
    final TreeMap<LocalDate, Day> days = new TreeMap<>();
    final TreeSet<String> anonymousIds = new TreeSet<>();
    final ObjectNode traits = Json.mapper().createObjectNode();
    @Nullable Instant traitsAt;

    private ProfileChange(String tenant, String user) {
        this.tenant = tenant;
        this.user = user;
    }

    /** What the events of one UTC day change. */
    static final class Day {
        Instant firstSeen = Instant.MAX;
        Instant lastSeen = Instant.MIN;
        long engagement;
        final TreeMap<String, Count> events = new TreeMap<>();
        final TreeSet<String> sessions = new TreeSet<>();
        final TreeMap<String, Purchases> purchases = new TreeMap<>();
        private final TreeSet<Instant> withoutSession = new TreeSet<>();

        /** Sessions without an id as a multirange: each event opens half an hour, and what touches is one. */
        String visits() {
            var ranges = new StringJoiner(",", "{", "}");
            for (var at : withoutSession) {
                ranges.add("[" + at + "," + at.plus(SESSION_GAP) + ")");
            }
            return ranges.toString();
        }
    }

    /** Events of one type, and when the first of them was received. */
    record Count(long events, Instant receivedFrom) {
        Count plus(Count other) {
            return new Count(
                    events + other.events,
                    receivedFrom.isBefore(other.receivedFrom) ? receivedFrom : other.receivedFrom);
        }
    }

    /** Purchases in one currency. */
    record Purchases(long orders, BigDecimal amount) {
        Purchases plus(Purchases other) {
            return new Purchases(orders + other.orders, amount.add(other.amount));
        }
    }

    /** Of all days. */
    Instant firstSeen() {
        return days.firstEntry().getValue().firstSeen;
    }

    /** Of all days. */
    Instant lastSeen() {
        return days.lastEntry().getValue().lastSeen;
    }

    /** Of all days. */
    long engagement() {
        return days.values().stream().mapToLong(day -> day.engagement).sum();
    }

    boolean hasPurchases() {
        return days.values().stream().anyMatch(day -> !day.purchases.isEmpty());
    }

    /**
     * Gathers events per user, in the order of tenant and user; events without a known user change nothing.
     *
     * @param currencyOf a tenant's currency: that of purchases which name none
     */
    static Collection<ProfileChange> of(
            Collection<CleanEvent> events, UnaryOperator<String> currencyOf) {
        return gather(events, CleanEvent::userId, currencyOf);
    }

    /** The same per visitor, whose anonymous id takes the place of the user's: of the events without a known user. */
    static Collection<ProfileChange> ofVisitors(
            Collection<CleanEvent> events, UnaryOperator<String> currencyOf) {
        return gather(events, e -> e.userId() == null ? e.anonymousId() : null, currencyOf);
    }

    private static Collection<ProfileChange> gather(
            Collection<CleanEvent> events,
            Function<CleanEvent, @Nullable String> personOf,
            UnaryOperator<String> currencyOf) {
        var changes = new TreeMap<String, ProfileChange>();
        events.stream()
                .filter(event -> personOf.apply(event) != null)
                .sorted(java.util.Comparator.comparing(CleanEvent::occurredAt))
                .forEach(event -> {
                    var person = String.valueOf(personOf.apply(event));
                    changes.computeIfAbsent(
                                    event.tenantId() + "\n" + person,
                                    key -> new ProfileChange(event.tenantId(), person))
                            .add(event, currencyOf.apply(event.tenantId()));
                });
        return changes.values();
    }

    private void add(CleanEvent event, String currency) {
        var at = event.occurredAt();
        var day = days.computeIfAbsent(at.atZone(ZoneOffset.UTC).toLocalDate(), date -> new Day());
        day.firstSeen = at.isBefore(day.firstSeen) ? at : day.firstSeen;
        day.lastSeen = at.isAfter(day.lastSeen) ? at : day.lastSeen;
        day.events.merge(event.eventType(), new Count(1, event.receivedAt()), Count::plus);
        if (event.eventType().equals("interaction")) {
            day.engagement++;
        }
        if (event.sessionId() != null) {
            day.sessions.add(event.sessionId());
        } else {
            day.withoutSession.add(at);
        }
        if (event.anonymousId() != null) {
            anonymousIds.add(event.anonymousId());
        }
        if (event.eventType().equals("purchase")) {
            addPurchase(event, currency, day);
        }
        var given = event.data().path("traits");
        if (given instanceof ObjectNode object && !object.isEmpty()) {
            traits.setAll(object);
            traitsAt = at;
        }
    }

    private static void addPurchase(CleanEvent event, String currency, Day day) {
        var amount = amount(event.data().path("amount"));
        if (amount == null) {
            return; // the contract requires an amount: only an event from before it lacks one
        }
        var named = event.data().path("currency");
        day.purchases.merge(
                named.isString() ? named.stringValue().toUpperCase(Locale.ROOT) : currency,
                new Purchases(1, amount),
                Purchases::plus);
    }

    private static @Nullable BigDecimal amount(JsonNode node) {
        if (node.isNumber()) {
            return node.decimalValue();
        }
        if (node.isString()) {
            try {
                return new BigDecimal(node.stringValue());
            } catch (NumberFormatException e) {
                return null;
            }
        }
        return null;
    }
}
