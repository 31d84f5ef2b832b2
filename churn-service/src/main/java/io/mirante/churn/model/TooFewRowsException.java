package io.mirante.churn.model;

/** There are too few rows to train on; the message says how many there are. */
public final class TooFewRowsException extends Exception {

    private static final long serialVersionUID = 1L;

    TooFewRowsException(String message) {
        super(message);
    }
}
