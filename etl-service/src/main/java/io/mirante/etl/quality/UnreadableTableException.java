package io.mirante.etl.quality;

/** A file is not what it is said to be, or its description does not fit it. The message says what to do. */
public final class UnreadableTableException extends Exception {
    private static final long serialVersionUID = 1;

    public UnreadableTableException(String message) {
        super(message);
    }
}
