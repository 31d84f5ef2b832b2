package io.mirante.etl.log;

import io.mirante.contracts.events.CanonicalEvent;
import java.math.BigDecimal;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The numbers of an event's data that features are made of, as columns of the log. */
final class Amounts {

    /** Amounts lie below this, as in the schemas. */
    private static final BigDecimal LIMIT = BigDecimal.TEN.pow(15);

    private static final int MAX_SCALE = 30;
    private static final int MAX_CURRENCY = 16;
    private static final double MAX_SCORE = 1e9;

    private Amounts() {}

    /** Plain decimal text of {@code amount}, number or text; null when there is none of a sensible size. */
    static @Nullable String amount(JsonNode data) {
        var value = decimal(data.get("amount"));
        return value != null
                        && value.abs().compareTo(LIMIT) < 0
                        && Math.abs(value.scale()) <= MAX_SCALE
                ? value.toPlainString()
                : null;
    }

    /** {@code currency} in upper case; null when there is none. */
    static @Nullable String currency(JsonNode data) {
        JsonNode value = data.get("currency");
        if (value == null || !value.isString() || value.stringValue().isBlank()) {
            return null;
        }
        var text = value.stringValue().strip().toUpperCase(Locale.ROOT);
        return text.substring(0, Math.min(MAX_CURRENCY, text.length()));
    }

    /** {@code score} of a {@code csat.submitted}; else null. */
    static @Nullable Double score(CanonicalEvent event) {
        if (!event.eventType().equals("csat.submitted")) {
            return null;
        }
        var value = decimal(event.data().get("score"));
        return value != null && Math.abs(value.doubleValue()) < MAX_SCORE
                ? value.doubleValue()
                : null;
    }

    private static @Nullable BigDecimal decimal(@Nullable JsonNode value) {
        if (value == null) {
            return null;
        }
        if (value.isNumber()) {
            return value.decimalValue();
        }
        try {
            return value.isString() && value.stringValue().length() <= 60
                    ? new BigDecimal(value.stringValue())
                    : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
