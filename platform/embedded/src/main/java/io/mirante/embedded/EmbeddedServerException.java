package io.mirante.embedded;

import org.jspecify.annotations.Nullable;

/** A server could not be started, found or stopped; the message is one that can be shown to a person as it is. */
public final class EmbeddedServerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public EmbeddedServerException(String message) {
        this(message, null);
    }

    public EmbeddedServerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
