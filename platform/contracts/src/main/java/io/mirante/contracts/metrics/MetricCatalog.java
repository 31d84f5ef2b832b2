package io.mirante.contracts.metrics;

import io.mirante.contracts.etl.CleanEvent;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Every operational metric, and what each event adds to it; {@link RunMetrics} says what ends of etl's runs add. Amounts are decimals and are summed per currency; times are
 * seconds. An event without a currency counts under the tenant's own. Thread-safe.
 */
public final class MetricCatalog {

    private static final int MAX_DIMENSION_LENGTH = 200;

    private static final String EVENTS = "events";
    private static final String CURRENCY = "currency";
    private static final String SECONDS = "seconds";
    private static final String POINTS = "points";

    /** What an event adds; null = nothing. */
    private interface Value extends Function<JsonNode, @Nullable BigDecimal> {}

    private record Definition(MetricEntry entry, Value value) {}

    private record Dimension(
            String name, boolean required, Function<CleanEvent, @Nullable String> value) {}

    private static final Map<String, List<Dimension>> DIMENSIONS =
            Map.ofEntries(
                    Map.entry("event", List.of(required("event_type", CleanEvent::eventType))),
                    Map.entry(
                            "web",
                            List.of(
                                    optional("country", e -> upper(place(e))),
                                    optional("device_type", e -> lower(device(e))))),
                    Map.entry(
                            "commerce",
                            List.of(optional("currency", e -> upper(data(e, CURRENCY))))),
                    Map.entry("fan", List.of()),
                    Map.entry(
                            "gaming",
                            List.of(
                                    optional("currency", e -> upper(data(e, CURRENCY))),
                                    optional("game_type", e -> data(e, "game_type")))),
                    Map.entry("conversation", desk()),
                    Map.entry("ticket", desk()),
                    Map.entry("channel", List.of(required("channel", e -> data(e, "channel")))),
                    Map.entry(
                            "agent",
                            List.of(
                                    required("agent", e -> data(e, "agent")),
                                    optional("channel", e -> data(e, "channel")),
                                    optional("org_unit", e -> data(e, "org_unit")))),
                    Map.entry(
                            "automation_flow",
                            List.of(
                                    required("automation_flow", e -> data(e, "automation_id")),
                                    optional("channel", e -> data(e, "channel")))),
                    Map.entry(
                            "knowledge_article",
                            List.of(required("article", e -> data(e, "article_id")))),
                    Map.entry("core", List.of(optional("component", e -> data(e, "component")))));

    private static final List<Definition> DEFINITIONS =
            List.of(
                    count("event", "events", "Events of any type"),
                    count("web", "page_views", "Pages shown", "page_view"),
                    count("web", "clicks", "Clicks", "click"),
                    count("web", "searches", "Searches", "search"),
                    count("web", "sign_ups", "Registrations", "sign_up"),
                    count("web", "logins", "Sign-ins", "login"),
                    count("commerce", "product_views", "Products looked at", "product_view"),
                    count("commerce", "add_to_carts", "Products put into a cart", "add_to_cart"),
                    count(
                            "commerce",
                            "remove_from_carts",
                            "Products taken out of a cart",
                            "remove_from_cart"),
                    count("commerce", "checkouts", "Checkouts started", "checkout_started"),
                    count("commerce", "purchases", "Purchases, those of amount 0 too", "purchase"),
                    sum(
                            "commerce",
                            "revenue",
                            "Amounts of purchases",
                            CURRENCY,
                            "amount",
                            "purchase"),
                    count("commerce", "refunds", "Refunds", "refund"),
                    sum(
                            "commerce",
                            "refunded_amount",
                            "Amounts of refunds",
                            CURRENCY,
                            "amount",
                            "refund"),
                    count(
                            "fan",
                            "interactions",
                            "Likes, shares, comments and so on",
                            "interaction"),
                    count(
                            "fan",
                            "subscriptions_started",
                            "Subscriptions started",
                            "subscription_started"),
                    count(
                            "fan",
                            "subscriptions_renewed",
                            "Subscriptions renewed",
                            "subscription_renewed"),
                    count(
                            "fan",
                            "subscriptions_cancelled",
                            "Subscriptions cancelled",
                            "subscription_cancelled"),
                    count("fan", "contents_watched", "Contents watched", "content_watched"),
                    sum(
                            "fan",
                            "watched_seconds",
                            "Time contents were watched",
                            SECONDS,
                            "duration_seconds",
                            "content_watched"),
                    count("gaming", "deposits", "Deposits", "deposit"),
                    sum(
                            "gaming",
                            "deposit_amount",
                            "Amounts of deposits",
                            CURRENCY,
                            "amount",
                            "deposit"),
                    count("gaming", "withdrawals", "Withdrawals", "withdrawal"),
                    sum(
                            "gaming",
                            "withdrawal_amount",
                            "Amounts of withdrawals",
                            CURRENCY,
                            "amount",
                            "withdrawal"),
                    count("gaming", "bets", "Bets placed", "bet_placed"),
                    sum("gaming", "bet_amount", "Stakes of bets", CURRENCY, "amount", "bet_placed"),
                    count("gaming", "bets_settled", "Bets settled", "bet_settled"),
                    sum(
                            "gaming",
                            "payout_amount",
                            "Amounts paid out on bets",
                            CURRENCY,
                            "amount",
                            "bet_settled"),
                    count("conversation", "volume", "Conversations begun", "conversation.created"),
                    count(
                            "conversation",
                            "assigned",
                            "Assignments to an agent",
                            "conversation.assigned"),
                    count(
                            "conversation",
                            "handed_off",
                            "Hand-offs between bot, agents and teams",
                            "conversation.handed_off"),
                    count(
                            "conversation",
                            "first_replies",
                            "First human replies",
                            "conversation.first_reply"),
                    sum(
                            "conversation",
                            "first_response_seconds_sum",
                            "Waiting until the first human reply, where the event says it",
                            SECONDS,
                            "response_seconds",
                            "conversation.first_reply"),
                    carrying(
                            "conversation",
                            "first_response_count",
                            "First human replies that say how long they took",
                            "response_seconds",
                            "conversation.first_reply"),
                    count(
                            "conversation",
                            "resolved",
                            "Conversations solved",
                            "conversation.resolved"),
                    sum(
                            "conversation",
                            "handle_seconds_sum",
                            "Working time until the solution, where the event says it",
                            SECONDS,
                            "handle_seconds",
                            "conversation.resolved"),
                    carrying(
                            "conversation",
                            "handle_count",
                            "Solutions that say how long they took",
                            "handle_seconds",
                            "conversation.resolved"),
                    count(
                            "conversation",
                            "reopened",
                            "Solved conversations that came back",
                            "conversation.reopened"),
                    count("conversation", "messages_sent", "Messages sent", "message.sent"),
                    count(
                            "conversation",
                            "messages_received",
                            "Messages received",
                            "message.received"),
                    count(
                            "conversation",
                            "quick_replies_used",
                            "Prepared answers used",
                            "quick_reply.used"),
                    csat("conversation", "csat_sum", "Satisfaction scores, summed", false),
                    csat("conversation", "csat_count", "Satisfaction scores given", false),
                    count("ticket", "volume", "Tickets opened", "ticket.created"),
                    count("ticket", "first_replies", "First human replies", "ticket.first_reply"),
                    sum(
                            "ticket",
                            "first_response_seconds_sum",
                            "Waiting until the first human reply, where the event says it",
                            SECONDS,
                            "response_seconds",
                            "ticket.first_reply"),
                    carrying(
                            "ticket",
                            "first_response_count",
                            "First human replies that say how long they took",
                            "response_seconds",
                            "ticket.first_reply"),
                    count("ticket", "resolved", "Tickets solved", "ticket.resolved"),
                    sum(
                            "ticket",
                            "handle_seconds_sum",
                            "Working time until the solution, where the event says it",
                            SECONDS,
                            "handle_seconds",
                            "ticket.resolved"),
                    carrying(
                            "ticket",
                            "handle_count",
                            "Solutions that say how long they took",
                            "handle_seconds",
                            "ticket.resolved"),
                    count("ticket", "reopened", "Solved tickets that came back", "ticket.reopened"),
                    count("ticket", "closed", "Tickets closed", "ticket.closed"),
                    count(
                            "ticket",
                            "sla_breached",
                            "Missed promises of time",
                            "ticket.sla_breached"),
                    csat("ticket", "csat_sum", "Satisfaction scores, summed", true),
                    csat("ticket", "csat_count", "Satisfaction scores given", true),
                    count(
                            "channel",
                            "conversations",
                            "Conversations begun",
                            "conversation.created"),
                    count("channel", "tickets", "Tickets opened", "ticket.created"),
                    count("channel", "messages_sent", "Messages sent", "message.sent"),
                    count("channel", "messages_received", "Messages received", "message.received"),
                    count(
                            "channel",
                            "health_changes",
                            "Changes of the channel's health",
                            "channel.health_changed"),
                    count(
                            "agent",
                            "first_replies",
                            "First human replies",
                            "conversation.first_reply",
                            "ticket.first_reply"),
                    count(
                            "agent",
                            "resolved",
                            "Conversations and tickets solved",
                            "conversation.resolved",
                            "ticket.resolved"),
                    count("agent", "messages_sent", "Messages sent", "message.sent"),
                    sum(
                            "agent",
                            "csat_sum",
                            "Satisfaction scores, summed",
                            POINTS,
                            "score",
                            "csat.submitted"),
                    carrying(
                            "agent",
                            "csat_count",
                            "Satisfaction scores given",
                            "score",
                            "csat.submitted"),
                    count(
                            "agent",
                            "status_changes",
                            "Came, went or paused",
                            "agent.status_changed"),
                    count("automation_flow", "executed", "Runs", "automation.executed"),
                    count("automation_flow", "failed", "Failed runs", "automation.failed"),
                    count(
                            "knowledge_article",
                            "views",
                            "Times the article was read",
                            "knowledge.article_viewed"),
                    count("core", "errors", "Errors of the client's own systems", "core.error"));

    private static final List<DerivedMetric> DERIVED =
            List.of(
                    new DerivedMetric(
                            "commerce",
                            "avg_order_value",
                            "Revenue per purchase",
                            CURRENCY,
                            "revenue",
                            "purchases"),
                    new DerivedMetric(
                            "commerce",
                            "refund_rate",
                            "Refunds per purchase",
                            "ratio",
                            "refunds",
                            "purchases"),
                    new DerivedMetric(
                            "gaming", "avg_bet", "Stake per bet", CURRENCY, "bet_amount", "bets"),
                    frt("conversation"),
                    handle("conversation"),
                    avgCsat("conversation"),
                    new DerivedMetric(
                            "conversation",
                            "reopen_rate",
                            "Reopened per solved conversation",
                            "ratio",
                            "reopened",
                            "resolved"),
                    frt("ticket"),
                    handle("ticket"),
                    avgCsat("ticket"),
                    new DerivedMetric(
                            "ticket",
                            "reopen_rate",
                            "Reopened per solved ticket",
                            "ratio",
                            "reopened",
                            "resolved"),
                    new DerivedMetric(
                            "ticket",
                            "sla_breach_rate",
                            "Missed promises per opened ticket",
                            "ratio",
                            "sla_breached",
                            "volume"),
                    avgCsat("agent"),
                    new DerivedMetric(
                            "automation_flow",
                            "failures_per_run",
                            "Failed runs per successful run",
                            "ratio",
                            "failed",
                            "executed"));

    private static final List<MetricEntry> ENTRIES =
            Stream.concat(DEFINITIONS.stream().map(Definition::entry), RunMetrics.ENTRIES.stream())
                    .toList();

    private static final List<DerivedMetric> ALL_DERIVED =
            Stream.concat(DERIVED.stream(), RunMetrics.DERIVED.stream()).toList();

    private static final List<Definition> OF_EVERY_TYPE =
            DEFINITIONS.stream().filter(d -> d.entry().eventTypes().isEmpty()).toList();

    private static final Map<String, List<Definition>> BY_TYPE = byType();

    private MetricCatalog() {}

    /** Every additive metric. */
    public static List<MetricEntry> entries() {
        return ENTRIES;
    }

    /** Every ratio, each of two additive metrics of its scope. */
    public static List<DerivedMetric> derived() {
        return ALL_DERIVED;
    }

    /** Every scope, in the order of the catalogue. */
    public static List<String> scopes() {
        return ENTRIES.stream().map(MetricEntry::scope).distinct().toList();
    }

    /** Names of a scope's dimensions; empty for an unknown scope. */
    public static List<String> dimensions(String scope) {
        if (scope.equals(RunMetrics.SCOPE)) {
            return RunMetrics.DIMENSIONS;
        }
        return DIMENSIONS.getOrDefault(scope, List.of()).stream().map(Dimension::name).toList();
    }

    /**
     * The additive metrics a name stands for: {@code scope.name} names one, a bare {@code name} all of that name. Empty
     * when there are none.
     */
    public static List<MetricEntry> find(String metric) {
        return ENTRIES.stream()
                .filter(e -> metric.equals(e.name()) || metric.equals(e.scope() + "." + e.name()))
                .toList();
    }

    /** The ratios a name stands for, as {@link #find}. */
    public static List<DerivedMetric> findDerived(String metric) {
        return ALL_DERIVED.stream()
                .filter(e -> metric.equals(e.name()) || metric.equals(e.scope() + "." + e.name()))
                .toList();
    }

    /** {@link #measure(CleanEvent, String)} where the tenant's currency is not known: then that dimension is left out. */
    public static List<Measurement> measure(CleanEvent event) {
        return measure(event, null);
    }

    /**
     * What an event adds, at most once per scope and metric. Each measurement carries all its dimensions, so a sum over
     * fewer dimensions is a plain sum; nothing is pre-aggregated.
     *
     * @param tenantCurrency ISO 4217, for amounts that name no currency
     */
    public static List<Measurement> measure(CleanEvent event, @Nullable String tenantCurrency) {
        var ofType = BY_TYPE.getOrDefault(event.eventType(), List.of());
        var measurements = new ArrayList<Measurement>(ofType.size() + OF_EVERY_TYPE.size());
        var dimensions = new HashMap<String, @Nullable Map<String, String>>();
        for (var definitions : List.of(OF_EVERY_TYPE, ofType)) {
            for (var definition : definitions) {
                var value = definition.value().apply(event.data());
                if (value == null) {
                    continue;
                }
                var scope = definition.entry().scope();
                if (!dimensions.containsKey(scope)) {
                    dimensions.put(scope, dimensionsOf(scope, event, tenantCurrency));
                }
                var found = dimensions.get(scope);
                if (found != null) {
                    measurements.add(
                            new Measurement(scope, found, definition.entry().name(), value));
                }
            }
        }
        return measurements;
    }

    /** Null when a dimension without which the scope means nothing is missing. */
    private static @Nullable Map<String, String> dimensionsOf(
            String scope, CleanEvent event, @Nullable String tenantCurrency) {
        var found = new TreeMap<String, String>();
        for (var dimension : DIMENSIONS.getOrDefault(scope, List.of())) {
            var value = dimension.value().apply(event);
            if (value == null && dimension.name().equals(CURRENCY) && event.data().has("amount")) {
                value = upper(tenantCurrency);
            }
            if (value != null) {
                found.put(dimension.name(), cut(value));
            } else if (dimension.required()) {
                return null;
            }
        }
        return Collections.unmodifiableMap(found);
    }

    private static Map<String, List<Definition>> byType() {
        var byType = new HashMap<String, List<Definition>>();
        for (var definition : DEFINITIONS) {
            for (var type : definition.entry().eventTypes()) {
                byType.computeIfAbsent(type, t -> new ArrayList<>()).add(definition);
            }
        }
        return byType;
    }

    private static Definition define(
            String scope, String name, String meaning, String unit, Value value, String... types) {
        var dimensions =
                DIMENSIONS.getOrDefault(scope, List.of()).stream().map(Dimension::name).toList();
        return new Definition(
                new MetricEntry(scope, name, meaning, unit, dimensions, List.of(types)), value);
    }

    private static Definition count(String scope, String name, String meaning, String... types) {
        return define(scope, name, meaning, EVENTS, data -> BigDecimal.ONE, types);
    }

    private static Definition sum(
            String scope, String name, String meaning, String unit, String field, String... types) {
        return define(scope, name, meaning, unit, data -> number(data, field), types);
    }

    /** Counts the events that carry a number, the denominator of its mean. */
    private static Definition carrying(
            String scope, String name, String meaning, String field, String... types) {
        return define(
                scope,
                name,
                meaning,
                EVENTS,
                data -> number(data, field) == null ? null : BigDecimal.ONE,
                types);
    }

    /** A score belongs to the ticket it names, else to the conversation it names, else to tickets. */
    private static Definition csat(String scope, String name, String meaning, boolean tickets) {
        boolean sum = name.endsWith("_sum");
        return define(
                scope,
                name,
                meaning,
                sum ? POINTS : EVENTS,
                data -> {
                    var score = number(data, "score");
                    boolean ofTicket =
                            text(data.get("ticket_id")) != null
                                    || text(data.get("conversation_id")) == null;
                    return score == null || ofTicket != tickets
                            ? null
                            : sum ? score : BigDecimal.ONE;
                },
                "csat.submitted");
    }

    private static DerivedMetric frt(String scope) {
        return new DerivedMetric(
                scope,
                "avg_frt_sec",
                "Mean time to the first human reply",
                SECONDS,
                "first_response_seconds_sum",
                "first_response_count");
    }

    private static DerivedMetric handle(String scope) {
        return new DerivedMetric(
                scope,
                "avg_handle_sec",
                "Mean working time until the solution",
                SECONDS,
                "handle_seconds_sum",
                "handle_count");
    }

    private static DerivedMetric avgCsat(String scope) {
        return new DerivedMetric(
                scope, "avg_csat", "Mean satisfaction score", POINTS, "csat_sum", "csat_count");
    }

    private static List<Dimension> desk() {
        return Stream.of("channel", "org_unit", "priority")
                .map(name -> optional(name, e -> data(e, name)))
                .toList();
    }

    private static Dimension required(String name, Function<CleanEvent, @Nullable String> value) {
        return new Dimension(name, true, value);
    }

    private static Dimension optional(String name, Function<CleanEvent, @Nullable String> value) {
        return new Dimension(name, false, value);
    }

    private static @Nullable String data(CleanEvent event, String field) {
        return text(event.data().get(field));
    }

    private static @Nullable String place(CleanEvent event) {
        return text(event.context().path("location").get("country"));
    }

    private static @Nullable String device(CleanEvent event) {
        return text(event.context().path("device").get("device_type"));
    }

    private static @Nullable String text(@Nullable JsonNode value) {
        if (value == null || !(value.isString() || value.isIntegralNumber())) {
            return null;
        }
        var text = value.asString();
        return text.isBlank() ? null : text;
    }

    /** A number, or text that is one, such as an amount; null for anything else. */
    private static @Nullable BigDecimal number(JsonNode data, String field) {
        JsonNode value = data.get(field);
        if (value == null) {
            return null;
        }
        if (value.isNumber()) {
            return value.decimalValue();
        }
        if (!value.isString()) {
            return null;
        }
        try {
            return new BigDecimal(value.stringValue());
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static @Nullable String upper(@Nullable String text) {
        return text == null ? null : text.toUpperCase(Locale.ROOT);
    }

    private static @Nullable String lower(@Nullable String text) {
        return text == null ? null : text.toLowerCase(Locale.ROOT);
    }

    private static String cut(String text) {
        return text.codePointCount(0, text.length()) <= MAX_DIMENSION_LENGTH
                ? text
                : text.substring(0, text.offsetByCodePoints(0, MAX_DIMENSION_LENGTH));
    }
}
