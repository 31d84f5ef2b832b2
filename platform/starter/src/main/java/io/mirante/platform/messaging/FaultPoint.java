package io.mirante.platform.messaging;

/** A moment between two effects where tests make a service fail. In production nothing happens there. */
@FunctionalInterface
public interface FaultPoint {

    /** After the poll's PostgreSQL transaction, before its Kafka transaction. */
    String AFTER_COMMIT = "after-commit";

    /** Before a poll's PostgreSQL transaction. */
    String BEFORE_COMMIT = "before-commit";

    /** Called when the moment is reached. */
    void reached(String moment, String consumer);
}
