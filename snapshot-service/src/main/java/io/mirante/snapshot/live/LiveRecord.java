package io.mirante.snapshot.live;

import io.mirante.contracts.Json;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.ObjectNode;

/**
 * One record of a live topic. Parsed and written when first sent to somebody, once for all who read it. Thread-safe.
 *
 * <p>Its id is channel, partition and offset, so that it is the same on every replica.
 */
final class LiveRecord {

    private final Channel channel;
    private final String tenant;
    private final String id;
    private final byte[] value;
    private volatile @Nullable ObjectNode data;
    private volatile @Nullable String frame;

    LiveRecord(Channel channel, String tenant, int partition, long offset, byte[] value) {
        this.channel = channel;
        this.tenant = tenant;
        this.id = channel.wireName() + "-" + partition + "-" + offset;
        this.value = value;
    }

    Channel channel() {
        return channel;
    }

    String tenant() {
        return tenant;
    }

    String id() {
        return id;
    }

    /** The record's JSON without what is the mesh's own; null when it is none. */
    @Nullable ObjectNode data() {
        var known = data;
        if (known != null) {
            return known;
        }
        try {
            if (Json.mapper().readTree(value) instanceof ObjectNode tree) {
                tree.remove("tenant_id");
                tree.remove("person_no");
                data = tree;
                return tree;
            }
        } catch (JacksonException e) {
            // poison is the consumers' to keep; a live reader passes over it
        }
        return null;
    }

    /** The text every subscriber gets; null when the record is no JSON object. */
    @Nullable String frame() {
        var known = frame;
        if (known != null) {
            return known;
        }
        var tree = data();
        if (tree == null) {
            return null;
        }
        var object = Json.mapper().createObjectNode();
        object.put("channel", channel.wireName());
        object.put("id", id);
        object.set("data", tree);
        var text = Json.mapper().writeValueAsString(object);
        frame = text;
        return text;
    }
}
