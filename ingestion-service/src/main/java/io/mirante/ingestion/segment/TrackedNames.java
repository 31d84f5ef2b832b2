package io.mirante.ingestion.segment;

import io.mirante.contracts.events.EventTypes;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a {@code track} call becomes: the names of Segment's own specifications (in any spelling) are types of Mirante,
 * with their properties under Mirante's names; any other name stays as it is. Holds no state.
 */
final class TrackedNames {

    /** Segment's name in snake_case to the type it is here. */
    static final Map<String, String> TYPES =
            Map.ofEntries(
                    Map.entry("order_completed", "purchase"),
                    Map.entry("order_refunded", "refund"),
                    Map.entry("product_viewed", "product_view"),
                    Map.entry("product_added", "add_to_cart"),
                    Map.entry("product_removed", "remove_from_cart"),
                    Map.entry("checkout_started", "checkout_started"),
                    Map.entry("products_searched", "search"),
                    Map.entry("signed_up", "sign_up"),
                    Map.entry("signed_in", "login"));

    /** A field of a type, and the property it is taken from when the field itself is not given: the first present. */
    private record Taken(String field, List<String> from) {}

    private static final Taken AMOUNT = new Taken("amount", List.of("revenue", "total", "value"));
    private static final Taken ORDER = new Taken("order_id", List.of("orderId"));
    private static final Taken ITEMS = new Taken("items", List.of("products"));
    private static final Taken PRODUCT = new Taken("product_id", List.of("productId", "sku", "id"));
    private static final Taken CART = new Taken("cart_id", List.of("cartId", "checkout_id"));

    private static final Map<String, List<Taken>> FIELDS =
            Map.of(
                    "purchase", List.of(AMOUNT, ORDER, ITEMS),
                    "refund", List.of(AMOUNT, ORDER),
                    "checkout_started", List.of(AMOUNT, CART, ITEMS),
                    "product_view", List.of(PRODUCT),
                    "add_to_cart", List.of(PRODUCT, CART),
                    "remove_from_cart", List.of(PRODUCT, CART),
                    "search", List.of(new Taken("query", List.of("search_query"))));

    private static final Map<String, String> REQUIRED =
            Map.of(
                    "purchase", "amount",
                    "refund", "amount",
                    "product_view", "product_id",
                    "add_to_cart", "product_id",
                    "remove_from_cart", "product_id",
                    "search", "query");

    private TrackedNames() {}

    /**
     * The type and data of a tracked event.
     *
     * @param data what the type asks for is moved to its names; not used by the caller afterwards
     */
    record Tracked(String type, ObjectNode data) {}

    /**
     * Reads a tracked event. One of Segment's names that lacks what the type requires, such as an order without an
     * amount, keeps its own name, so that nothing is lost; a type's own name is judged by its contract.
     */
    static Tracked of(String event, ObjectNode properties) {
        var name = EventTypes.canonicalName(event);
        var type = TYPES.getOrDefault(name, name);
        var taken = FIELDS.get(type);
        if (taken == null) {
            return new Tracked(type.isEmpty() ? event : type, properties);
        }
        var data = properties.deepCopy();
        taken.forEach(t -> take(data, t));
        var required = REQUIRED.get(type);
        if (required != null && present(data, required) == null && !type.equals(name)) {
            return new Tracked(name, properties);
        }
        return new Tracked(type, data);
    }

    /** Amounts are copied, since revenue, total and value differ; all else is moved. */
    private static void take(ObjectNode data, Taken taken) {
        if (present(data, taken.field()) != null) {
            return;
        }
        for (var from : taken.from()) {
            var value = present(data, from);
            if (value != null) {
                data.set(taken.field(), value);
                if (!taken.equals(AMOUNT)) {
                    data.remove(from);
                }
                return;
            }
        }
    }

    private static @Nullable JsonNode present(ObjectNode data, String name) {
        var value = data.get(name);
        return value == null || value.isNull() ? null : value;
    }
}
