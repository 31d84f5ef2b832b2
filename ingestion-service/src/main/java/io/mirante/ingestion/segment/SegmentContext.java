package io.mirante.ingestion.segment;

import static io.mirante.ingestion.segment.SegmentEvents.first;
import static io.mirante.ingestion.segment.SegmentEvents.object;
import static io.mirante.ingestion.segment.SegmentEvents.put;

import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Segment's {@code context} with what Mirante knows under Mirante's names; all else stays as it came. Holds no state. */
final class SegmentContext {

    private SegmentContext() {}

    /**
     * The context of an event.
     *
     * @param common the batch's, below the call's own
     */
    static ObjectNode of(ObjectNode common, ObjectNode own) {
        var given = JsonNodeFactory.instance.objectNode();
        given.setAll(common);
        given.setAll(own);

        var location = object(given, "location").deepCopy();
        put(location, "timezone", first(location.get("timezone"), given.get("timezone")));
        put(location, "ip_address", first(location.get("ip_address"), given.get("ip")));

        var device = object(given, "device").deepCopy();
        put(device, "device_type", first(device.get("device_type"), device.get("type")));
        put(device, "os", first(device.get("os"), given.path("os").get("name")));

        var context = given.without("ip");
        context.remove("timezone");
        context.remove("sessionId");
        if (!location.isEmpty()) {
            context.set("location", location);
        }
        if (!device.isEmpty()) {
            context.set("device", device);
        }
        put(context, "user_agent", first(given.get("user_agent"), given.get("userAgent")));
        context.remove("userAgent");
        put(
                context,
                "referrer",
                first(
                        given.path("page").get("referrer"),
                        given.path("referrer").get("url"),
                        given.get("referrer")));
        return context;
    }
}
