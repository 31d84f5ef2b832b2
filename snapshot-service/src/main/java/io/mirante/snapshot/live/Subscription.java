package io.mirante.snapshot.live;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a socket wants to see.
 *
 * @param filters allowed values by field; a record that has the field shows only with one of them
 * @param lastId the last record seen; what came after it and is still in memory is sent first
 */
record Subscription(
        Set<Channel> channels, Map<String, Set<String>> filters, @Nullable String lastId) {

    /** Filter to the field of the data it compares. */
    private static final Map<String, String> FIELDS =
            Map.of(
                    "event_types", "event_type",
                    "user_ids", "user_id",
                    "scopes", "scope",
                    "granularities", "granularity");

    Subscription {
        channels = Set.copyOf(channels);
        filters = Map.copyOf(filters);
    }

    /** A subscription that cannot be understood; the message names the field. */
    static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1L;

        MalformedException(String message) {
            super(message, null, false, false);
        }
    }

    /** Reads the payload of a {@code Subscribe}. */
    static Subscription of(JsonNode payload) throws MalformedException {
        for (var name : payload.propertyNames()) {
            if (!Set.of("channels", "filters", "last_id").contains(name)) {
                throw new MalformedException(
                        "unknown field payload." + name + "; known are channels, filters, last_id");
            }
        }
        var lastId = payload.path("last_id");
        if (!(lastId.isMissingNode() || lastId.isNull() || lastId.isString())) {
            throw new MalformedException("payload.last_id must be a text or null");
        }
        return new Subscription(
                channels(payload),
                filters(payload.path("filters")),
                lastId.isString() ? lastId.stringValue() : null);
    }

    /** Reads the channels of a {@code Subscribe} or {@code Unsubscribe}. */
    static Set<Channel> channels(JsonNode payload) throws MalformedException {
        var channels = EnumSet.noneOf(Channel.class);
        for (var name : texts(payload.path("channels"), "payload.channels")) {
            channels.add(
                    Channel.find(name)
                            .orElseThrow(() ->
                                    new MalformedException(
                                            "payload.channels may hold events, metrics and alerts")));
        }
        if (channels.isEmpty()) {
            throw new MalformedException("payload.channels must name at least one channel");
        }
        return channels;
    }

    private static Map<String, Set<String>> filters(JsonNode node) throws MalformedException {
        if (node.isMissingNode() || node.isNull()) {
            return Map.of();
        }
        if (!node.isObject()) {
            throw new MalformedException("payload.filters must be an object");
        }
        var filters = new TreeMap<String, Set<String>>();
        for (var filter : node.properties()) {
            var field = FIELDS.get(filter.getKey());
            if (field == null) {
                throw new MalformedException(
                        "unknown filter %s; known are event_types, user_ids, scopes, granularities"
                                .formatted(filter.getKey()));
            }
            filters.put(
                    field,
                    Set.copyOf(texts(filter.getValue(), "payload.filters." + filter.getKey())));
        }
        return filters;
    }

    private static List<String> texts(JsonNode node, String at) throws MalformedException {
        if (!node.isArray()) {
            throw new MalformedException(at + " must be a list of texts");
        }
        var texts = new ArrayList<String>();
        for (var item : node) {
            if (!item.isString()) {
                throw new MalformedException(at + " must be a list of texts");
            }
            texts.add(item.stringValue());
        }
        return texts;
    }

    /** Whether a record of the subscriber's tenant is wanted. */
    boolean wants(LiveRecord record) {
        if (!channels.contains(record.channel())) {
            return false;
        }
        if (filters.isEmpty()) {
            return true;
        }
        var data = record.data();
        if (data == null) {
            return false;
        }
        for (var filter : filters.entrySet()) {
            var value = data.path(filter.getKey());
            if (!value.isMissingNode()
                    && !(value.isString() && filter.getValue().contains(value.stringValue()))) {
                return false;
            }
        }
        return true;
    }

    /** Without some channels; null when none is left. */
    @Nullable Subscription without(Set<Channel> gone) {
        var left = EnumSet.noneOf(Channel.class);
        channels.stream().filter(c -> !gone.contains(c)).forEach(left::add);
        return left.isEmpty() ? null : new Subscription(left, filters, lastId);
    }
}
