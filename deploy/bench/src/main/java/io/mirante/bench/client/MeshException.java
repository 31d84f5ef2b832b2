package io.mirante.bench.client;

/** The mesh did not do what was asked; the message is one line for the person in front of the terminal. */
public final class MeshException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public MeshException(String message) {
        super(message);
    }

    public MeshException(String message, Throwable cause) {
        super(message, cause);
    }
}
