package io.mirante.platform.messaging;

/** Kafka did not take a poll's records; the poll is repeated. */
final class PublishFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    PublishFailedException(Throwable cause) {
        super("Kafka did not take the poll's records: " + cause.getMessage(), cause);
    }
}
