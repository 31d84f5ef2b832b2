package io.mirante.snapshot.behaviour;

import io.mirante.contracts.Json;
import org.jspecify.annotations.Nullable;

/** Numbers what events are to a {@link Journey}: above the number of the key, below the mask. Not thread-safe, one per question. */
final class JourneyEvents implements PersonWalks.Refinement {

    private static final int MASK_BITS = 2;

    private final EventCondition start;
    private final TextNumbers keys =
            new TextNumbers("ask for a shorter range, or name event_types");

    JourneyEvents(Journey journey) {
        this.start = journey.start();
    }

    @Override
    public int matching(int mask, @Nullable String data) {
        if (data == null) {
            throw new IllegalStateException("an event came without its key");
        }
        int end = data.indexOf('\n');
        int is = mask;
        if (end > 0 && !start.matches(Json.mapper().readTree(data.substring(0, end)))) {
            is &= ~Journey.START;
        }
        return is == 0 ? 0 : keys.of(data.substring(end + 1)) << MASK_BITS | is;
    }

    static boolean starts(int what) {
        return (what & Journey.START) != 0;
    }

    static boolean follows(int what) {
        return (what & Journey.NEXT) != 0;
    }

    /** Number of an event's key, 1 or more. */
    static int key(int what) {
        return what >>> MASK_BITS;
    }

    String text(int key) {
        return keys.text(key);
    }

    /** How many keys were met. */
    int size() {
        return keys.size();
    }
}
