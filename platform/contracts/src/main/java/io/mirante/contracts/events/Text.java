package io.mirante.contracts.events;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Reads single values out of event data. */
final class Text {

    private Text() {}

    /** The non-blank text, or the number in plain decimal notation, under a name; null for anything else. */
    static @Nullable String of(JsonNode object, String name) {
        JsonNode value = object.get(name);
        if (value == null) {
            return null;
        }
        if (value.isString()) {
            var text = value.stringValue();
            return text.isBlank() ? null : text;
        }
        return value.isNumber() ? plain(value) : null;
    }

    /** A number without exponent and without trailing zeros, so that 50, 50.0 and 5e1 are one text. */
    static String plain(JsonNode number) {
        if (number.isIntegralNumber()) {
            return number.asString();
        }
        BigDecimal value = number.decimalValue().stripTrailingZeros();
        return Math.abs((long) value.scale()) > 400 ? value.toString() : value.toPlainString();
    }
}
