package io.mirante.ingestion.intake;

import io.mirante.contracts.events.FieldError;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Answer to many; those neither accepted nor rejected are in {@code results} with status {@code retry}.
 *
 * @param results each that was not accepted, or all of them with {@code ?verbose=true}
 * @param <R> one of them
 */
public record BatchAnswer<R>(int accepted, int rejected, List<R> results) {

    public BatchAnswer {
        results = List.copyOf(results);
    }

    /** Makes one result. */
    @FunctionalInterface
    public interface Form<R> {
        /**
         * @param index place in the request, from 0
         * @param errors pointers go into the event
         */
        R of(int index, @Nullable String id, Status status, List<FieldError> errors);
    }
}
