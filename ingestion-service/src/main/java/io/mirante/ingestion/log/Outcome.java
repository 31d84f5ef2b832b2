package io.mirante.ingestion.log;

/** What became of a record handed to Kafka. */
public enum Outcome {
    /** Acknowledged by all in-sync replicas. */
    STORED,
    /** Larger than Kafka's topic takes; sending it again would not help. */
    TOO_LARGE,
    /** Not known to be stored; it may be sent again. */
    NOT_STORED
}
