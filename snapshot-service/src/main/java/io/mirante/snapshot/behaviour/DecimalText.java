package io.mirante.snapshot.behaviour;

import java.util.regex.Pattern;

/**
 * Decimal numbers as events hold them as text, read alike by Java and by PostgreSQL: digits, perhaps with a sign, a
 * fraction and an exponent of at most two digits, {@value #MAX_LENGTH} characters at most, so that {@code numeric} holds
 * every one of them.
 */
final class DecimalText {

    private static final int MAX_LENGTH = 100;

    /**
     * Without counted repetitions such as {@code {1,255}}: PostgreSQL writes them out as states, which made matching a
     * four-digit amount take 35 µs.
     */
    private static final String FORM = "-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9][0-9]?)?";

    private static final Pattern PATTERN = Pattern.compile(FORM);

    private DecimalText() {}

    static boolean isDecimal(String text) {
        return text.length() <= MAX_LENGTH && PATTERN.matcher(text).matches();
    }

    /**
     * An SQL expression.
     *
     * @param text one of type {@code text}
     * @return its number; NULL when it is none
     */
    static String toNumeric(String text) {
        return "CASE WHEN length(%1$s) <= %2$d AND %1$s ~ '^%3$s$' THEN (%1$s)::numeric END"
                .formatted(text, MAX_LENGTH, FORM);
    }
}
