package io.mirante.alert.alerting;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a value is compared with its threshold. */
enum Operator {
    GTE,
    GT,
    LTE,
    LT;

    boolean test(BigDecimal value, BigDecimal threshold) {
        int order = value.compareTo(threshold);
        return switch (this) {
            case GTE -> order >= 0;
            case GT -> order > 0;
            case LTE -> order <= 0;
            case LT -> order < 0;
        };
    }

    /** Its name in the API, such as {@code gte}. */
    String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<Operator> of(String text) {
        return Arrays.stream(values()).filter(o -> o.text().equals(text)).findFirst();
    }
}
