package io.mirante.ingestion.segment;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The calls of Segment's API; {@code batch} is a list of them. */
enum Call {
    IDENTIFY,
    TRACK,
    PAGE,
    SCREEN,
    GROUP,
    ALIAS;

    private final String wireName = name().toLowerCase(Locale.ROOT);

    String wireName() {
        return wireName;
    }

    /** The call of this name, or null. */
    static @Nullable Call find(String wireName) {
        for (var call : values()) {
            if (call.wireName.equals(wireName)) {
                return call;
            }
        }
        return null;
    }
}
