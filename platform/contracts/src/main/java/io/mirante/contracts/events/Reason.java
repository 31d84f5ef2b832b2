package io.mirante.contracts.events;

/** Why an event was not accepted. */
public enum Reason {
    /** No JSON object, or text or numbers that no store can hold. */
    MALFORMED("malformed"),
    /** Known in form, but a field is missing, unknown or has a wrong value. */
    CONTRACT("contract"),
    /** Larger than one event may be. */
    SIZE("size"),
    /** Says neither which event nor whose event it is. */
    IDENTITY("identity"),
    /** The id is taken by an event with another content. Found by etl, never by the validator. */
    CONFLICT("id_conflict"),
    /** Written for a newer version of the type's schema than this installation knows. */
    VERSION("version");

    private final String wireName;

    Reason(String wireName) {
        this.wireName = wireName;
    }

    /** The name on the wire and in stores. */
    public String wireName() {
        return wireName;
    }

    /** The reason with this wire name; {@link IllegalArgumentException} when there is none. */
    public static Reason ofWireName(String wireName) {
        for (var reason : values()) {
            if (reason.wireName.equals(wireName)) {
                return reason;
            }
        }
        throw new IllegalArgumentException("no rejection reason is called " + wireName);
    }
}
