package io.mirante.setup;

/** The set-up step cannot go on; the message is one line for the person who started it. */
final class SetupException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    SetupException(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    private SetupException(String message) {
        super(message);
        this.exitCode = Main.WRONG_SETTING;
    }

    /** A setting is missing or wrong, as can be seen without asking anyone. */
    static SetupException ofSetting(String message) {
        return new SetupException(message);
    }

    int exitCode() {
        return exitCode;
    }
}
