package io.mirante.etl.log;

import java.util.Comparator;

/** What makes an event the same: its id within its tenant. Ordered, so that transactions lock in one order. */
record EventKey(String tenantId, String eventId) implements Comparable<EventKey> {

    private static final Comparator<EventKey> ORDER =
            Comparator.comparing(EventKey::tenantId).thenComparing(EventKey::eventId);

    @Override
    public int compareTo(EventKey other) {
        return ORDER.compare(this, other);
    }
}
