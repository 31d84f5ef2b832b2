package io.mirante.platform.messaging;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/** A record's headers as text; the last of a name wins. Not thread-safe, like the record it came with. */
public final class Headers {

    private final org.apache.kafka.common.header.Headers headers;

    Headers(org.apache.kafka.common.header.Headers headers) {
        this.headers = headers;
    }

    /** The header's value, or null when there is none. */
    public @Nullable String get(String name) {
        Header header = headers.lastHeader(name);
        byte[] value = header == null ? null : header.value();
        return value == null ? null : new String(value, StandardCharsets.UTF_8);
    }

    /**
     * The header's value.
     *
     * @throws PoisonException when the record does not carry it
     */
    public String require(String name) throws PoisonException {
        var value = get(name);
        if (value == null || value.isEmpty()) {
            throw new PoisonException("missing_header", "the record has no header " + name);
        }
        return value;
    }
}
