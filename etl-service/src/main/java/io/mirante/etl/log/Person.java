package io.mirante.etl.log;

/**
 * A person by the id the client knows.
 *
 * @param kind {@link #USER} or {@link #ANONYMOUS}
 */
record Person(String tenantId, String kind, String id) {

    static final String USER = "user";
    static final String ANONYMOUS = "anonymous";

    /** Of the id alone, which tells persons apart and remembers its own. */
    @Override
    public int hashCode() {
        return id.hashCode();
    }
}
