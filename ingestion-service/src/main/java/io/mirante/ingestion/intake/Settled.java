package io.mirante.ingestion.intake;

import io.mirante.contracts.events.FieldError;
import java.util.List;

/**
 * What became of one event or reading.
 *
 * @param size it was rejected for its size
 * @param errors empty unless rejected
 */
public record Settled(Status status, boolean size, List<FieldError> errors) {

    static final Settled ACCEPTED = new Settled(Status.ACCEPTED, false, List.of());
    static final Settled RETRY = new Settled(Status.RETRY, false, List.of());

    public Settled {
        errors = List.copyOf(errors);
    }

    static Settled rejected(Item.Bad bad) {
        return new Settled(Status.REJECTED, bad.size(), bad.errors());
    }
}
