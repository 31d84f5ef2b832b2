package io.mirante.etl.log;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Finds what PostgreSQL cannot hold: NUL, half characters, numbers beyond a double. */
final class StorableText {

    private static final int MAX_DIGITS = 1_000;

    private StorableText() {}

    /** What is wrong with a text, as a phrase without its subject; null when it can be stored. */
    static @Nullable String fault(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0) {
                return "holds the character U+0000";
            }
            if (Character.isSurrogate(c)) {
                boolean whole =
                        Character.isHighSurrogate(c)
                                && i + 1 < text.length()
                                && Character.isLowSurrogate(text.charAt(i + 1));
                if (!whole) {
                    return "holds half of a character (a lone surrogate)";
                }
                i++;
            }
        }
        return null;
    }

    /** The same for a tree: names and values. */
    static @Nullable String fault(JsonNode node) {
        if (node.isString()) {
            return fault(node.stringValue());
        }
        if (node.isNumber()) {
            return number(node);
        }
        if (node.isObject()) {
            for (var field : node.properties()) {
                var fault = fault(field.getKey());
                if (fault == null) {
                    fault = fault(field.getValue());
                }
                if (fault != null) {
                    return fault;
                }
            }
        }
        if (node.isArray()) {
            for (var element : node) {
                var fault = fault(element);
                if (fault != null) {
                    return fault;
                }
            }
        }
        return null;
    }

    private static @Nullable String number(JsonNode node) {
        if (node.isInt() || node.isLong()) {
            return null;
        }
        BigDecimal value = node.decimalValue();
        boolean small =
                Math.abs((long) value.scale()) < MAX_DIGITS && value.precision() < MAX_DIGITS;
        return small && Double.isFinite(value.doubleValue())
                ? null
                : "holds a number that is too large or too long";
    }
}
