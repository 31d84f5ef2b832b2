package io.mirante.platform.messaging;

import io.mirante.contracts.etl.CleanEvent;

/** How clean events are read; the value holds the whole event, headers repeat parts of it for other readers. */
public final class CleanEvents {

    private static final Parser<CleanEvent> PARSER = Parser.json(CleanEvent.class);

    private CleanEvents() {}

    /** Parser of {@code mirante.events.clean}. */
    public static Parser<CleanEvent> parser() {
        return PARSER;
    }
}
