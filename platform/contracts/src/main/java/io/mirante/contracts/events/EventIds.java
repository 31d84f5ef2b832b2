package io.mirante.contracts.events;

import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** Makes ids for events that came without one. */
final class EventIds {

    private EventIds() {}

    /**
     * A UUID of version 7 (RFC 9562): milliseconds since 1970, then 74 random bits. Unique, not secret. Sorted by time,
     * so new rows land at the end of an index.
     */
    static String uuidV7(Instant now) {
        var random = ThreadLocalRandom.current();
        long high = (now.toEpochMilli() << 16) | 0x7000L | (random.nextLong() & 0xFFFL);
        long low = (random.nextLong() & 0x3FFF_FFFF_FFFF_FFFFL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }
}
