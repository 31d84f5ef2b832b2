package io.mirante.platform.messaging;

/** A record that can never be processed, with its reason; it goes to the service's dead-letter topic. */
public final class PoisonException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String reason;

    /**
     * Says why.
     *
     * @param reason stable code, snake_case, such as {@code bad_json}
     * @param detail a sentence for whoever reads the dead letter
     */
    public PoisonException(String reason, String detail) {
        super(detail, null, false, false);
        this.reason = reason;
    }

    String reason() {
        return reason;
    }
}
