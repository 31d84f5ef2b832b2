package io.mirante.ingestion.intake;

import io.mirante.contracts.events.FieldError;
import io.mirante.contracts.events.Reason;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of one event or reading.
 *
 * @param reason why it was rejected; null unless it was
 * @param errors empty unless rejected
 */
public record Settled(Status status, @Nullable Reason reason, List<FieldError> errors) {

    static final Settled ACCEPTED = new Settled(Status.ACCEPTED, null, List.of());
    static final Settled RETRY = new Settled(Status.RETRY, null, List.of());

    public Settled {
        errors = List.copyOf(errors);
    }

    static Settled rejected(Item.Bad bad) {
        return new Settled(Status.REJECTED, bad.reason(), bad.errors());
    }
}
