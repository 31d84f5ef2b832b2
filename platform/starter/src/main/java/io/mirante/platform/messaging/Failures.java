package io.mirante.platform.messaging;

import io.r2dbc.spi.R2dbcException;
import java.io.IOException;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.KafkaException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.transaction.TransactionException;

/** Tells a failure of PostgreSQL or Kafka, which passes, from a record that cannot be processed. */
final class Failures {

    private Failures() {}

    /** Whether repeating the same poll later can succeed. */
    static boolean ofInfrastructure(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof R2dbcException database) {
                return passes(database.getSqlState());
            }
            if (cause instanceof KafkaException
                    || cause instanceof PublishFailedException
                    || cause instanceof IOException
                    || cause instanceof TimeoutException
                    || cause instanceof InterruptedException
                    || cause instanceof DataAccessResourceFailureException
                    || cause instanceof TransientDataAccessException
                    || (cause instanceof TransactionException && cause.getCause() == null)) {
                return true;
            }
        }
        return false;
    }

    /** By class of SQLSTATE: connection, rollback, resources, operator, system, internal; none = never reached it. */
    private static boolean passes(@org.jspecify.annotations.Nullable String state) {
        if (state == null || state.length() < 2) {
            return true;
        }
        return switch (state.substring(0, 2)) {
            case "08", "25", "28", "40", "53", "55", "57", "58", "XX" -> true;
            default -> false;
        };
    }
}
