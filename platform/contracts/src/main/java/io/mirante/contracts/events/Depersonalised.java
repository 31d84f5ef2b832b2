package io.mirante.contracts.events;

import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What stays of an event's data when its person is erased: what totals are made of, and nothing else. */
public final class Depersonalised {

    /** Names at the top level of the data whose values stay, if they are no objects or arrays. */
    public static final Set<String> KEPT =
            Set.copyOf(
                    new TreeSet<>(
                            Set.of(
                                    "amount",
                                    "currency",
                                    "quantity",
                                    "price",
                                    "score",
                                    "duration_ms",
                                    "duration_seconds",
                                    "response_seconds",
                                    "handle_seconds",
                                    "game_type",
                                    "channel",
                                    "org_unit",
                                    "priority")));

    private Depersonalised() {}

    /** The context of which only country and kind of device are left, which totals are kept by. */
    public static ObjectNode context(JsonNode context) {
        var kept = JsonNodeFactory.instance.objectNode();
        keepText(context, kept, "location", "country");
        keepText(context, kept, "device", "device_type");
        return kept;
    }

    private static void keepText(JsonNode context, ObjectNode kept, String part, String name) {
        var value = context.path(part).path(name);
        if (value.isString()) {
            kept.putObject(part).set(name, value);
        }
    }

    /** The data of which only {@link #KEPT} is left. */
    public static ObjectNode data(JsonNode data) {
        var kept = JsonNodeFactory.instance.objectNode();
        data.properties()
                .forEach(field -> {
                    if (KEPT.contains(field.getKey()) && field.getValue().isValueNode()) {
                        kept.set(field.getKey(), field.getValue());
                    }
                });
        return kept;
    }
}
