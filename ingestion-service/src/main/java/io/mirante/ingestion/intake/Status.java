package io.mirante.ingestion.intake;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** The client's view of one event or reading. */
public enum Status {
    /** Kafka has stored it. */
    ACCEPTED,
    /** It will never pass as it is; Kafka has stored it with the reason. */
    REJECTED,
    /** Not known to be stored: send it again, with the same id. */
    RETRY;

    private final String wireName = name().toLowerCase(Locale.ROOT);

    @JsonValue
    public String wireName() {
        return wireName;
    }
}
