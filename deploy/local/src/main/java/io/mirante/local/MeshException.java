package io.mirante.local;

import org.jspecify.annotations.Nullable;

/** The command cannot go on; the message is for the person who ran it and says what to do. */
final class MeshException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MeshException(String message) {
        this(message, null);
    }

    MeshException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
