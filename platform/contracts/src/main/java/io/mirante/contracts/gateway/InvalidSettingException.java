package io.mirante.contracts.gateway;

/** A tenant's setting that cannot be: which field, and how to mend it. */
public final class InvalidSettingException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final String field;
    private final String code;

    InvalidSettingException(String field, String code, String message) {
        super(message);
        this.field = field;
        this.code = code;
    }

    /** JSON pointer below the record that refused, such as {@code /timezone}; empty for the record itself. */
    public String field() {
        return field;
    }

    /** Stable and machine-readable, such as {@code out_of_range}. */
    public String code() {
        return code;
    }
}
