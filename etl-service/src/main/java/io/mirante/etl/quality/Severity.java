package io.mirante.etl.quality;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** How much a failing check weighs. */
public enum Severity {
    CRITICAL(4),
    HIGH(3),
    MEDIUM(2),
    LOW(1);

    private final int weight;

    Severity(int weight) {
        this.weight = weight;
    }

    int weight() {
        return weight;
    }

    /** Its name in lower case. */
    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
