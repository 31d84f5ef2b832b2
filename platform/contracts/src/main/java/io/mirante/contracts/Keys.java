package io.mirante.contracts;

import java.nio.charset.StandardCharsets;

/** Record keys: parts joined by a line feed, which no id may contain, so that two keys never collide. */
public final class Keys {

    private Keys() {}

    /** UTF-8 bytes of the parts, joined; the first part is the tenant. */
    public static byte[] of(String... parts) {
        return String.join("\n", parts).getBytes(StandardCharsets.UTF_8);
    }
}
