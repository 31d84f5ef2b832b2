package io.mirante.etl.remote;

import org.jspecify.annotations.Nullable;

/** A source elsewhere cannot be read. The message tells its owner why and what would help, and holds no credentials. */
public final class FetchFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    FetchFailedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
