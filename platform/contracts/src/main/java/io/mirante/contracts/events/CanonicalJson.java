package io.mirante.contracts.events;

import io.mirante.contracts.Sha256;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Writes a tree as canonical JSON (RFC 8785, JSON Canonicalization Scheme): no white space, members sorted by UTF-16
 * code units, shortest escapes, numbers as ECMAScript writes them, so that {@code 1}, {@code 1.0} and {@code 1e0} are one.
 *
 * <p>One addition: RFC 8785 knows only doubles. Digits beyond a double's (a 20-digit integer, a decimal of 30 places) are
 * written all the same, so that two different numbers never get the same hash. Up to 15 significant digits, and for
 * everything a double prints, the two rules give the same text.
 *
 * <p>Own code rather than java-json-canonicalization, which takes text, so that a tree is printed and parsed again (hash of
 * a purchase: 2.8 against 0.9 µs), and which would give the long numbers above one hash. The tests
 * compare the two.
 *
 * <p>One instance writes one document; not thread-safe.
 */
final class CanonicalJson {

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private byte[] buffer = new byte[1024];
    private int size;

    /** The canonical form of a tree. */
    static byte[] bytes(JsonNode node) {
        var out = new CanonicalJson();
        out.write(node);
        return out.bytes();
    }

    byte[] bytes() {
        return Arrays.copyOf(buffer, size);
    }

    /** Hex SHA-256 of what was written. */
    String sha256() {
        return Sha256.hex(buffer, 0, size);
    }

    CanonicalJson write(JsonNode node) {
        switch (node.getNodeType()) {
            case OBJECT -> writeObject(node);
            case ARRAY -> writeArray(node);
            case STRING -> writeString(node.stringValue());
            case NUMBER -> writeNumber(node);
            case BOOLEAN -> ascii(node.booleanValue() ? "true" : "false");
            case NULL -> ascii("null");
            default ->
                    throw new IllegalArgumentException(
                            "canonical JSON has no " + node.getNodeType());
        }
        return this;
    }

    CanonicalJson writeStringOrNull(@Nullable String text) {
        if (text == null) {
            ascii("null");
        } else {
            writeString(text);
        }
        return this;
    }

    CanonicalJson ascii(String text) {
        reserve(text.length());
        for (int i = 0; i < text.length(); i++) {
            buffer[size++] = (byte) text.charAt(i);
        }
        return this;
    }

    private void writeObject(JsonNode object) {
        var names = object.propertyNames().toArray(new String[0]);
        Arrays.sort(names);
        put('{');
        for (int i = 0; i < names.length; i++) {
            if (i > 0) {
                put(',');
            }
            writeString(names[i]);
            put(':');
            write(object.required(names[i]));
        }
        put('}');
    }

    private void writeArray(JsonNode array) {
        put('[');
        for (int i = 0; i < array.size(); i++) {
            if (i > 0) {
                put(',');
            }
            write(array.required(i));
        }
        put(']');
    }

    private void writeNumber(JsonNode number) {
        if (number.isInt() || number.isLong()) {
            ascii(Long.toString(number.longValue()));
        } else if (number.isDouble() || number.isFloat()) {
            if (!Double.isFinite(number.doubleValue())) {
                throw new IllegalArgumentException("JSON has no number " + number.doubleValue());
            }
            writeDecimal(new BigDecimal(number.asString()));
        } else {
            writeDecimal(number.decimalValue());
        }
    }

    private void writeDecimal(BigDecimal given) {
        BigDecimal value = given.stripTrailingZeros();
        if (value.signum() == 0) {
            put('0');
            return;
        }
        writeEcmaScript(value);
    }

    /** ECMAScript's Number::toString over the digits and exponent of a decimal without trailing zeros. */
    private void writeEcmaScript(BigDecimal value) {
        if (value.signum() < 0) {
            put('-');
        }
        String digits = value.unscaledValue().abs().toString();
        int k = digits.length();
        long n = (long) k - value.scale();
        if (k <= n && n <= 21) {
            ascii(digits);
            for (long i = k; i < n; i++) {
                put('0');
            }
        } else if (0 < n && n <= 21) {
            ascii(digits.substring(0, (int) n));
            put('.');
            ascii(digits.substring((int) n));
        } else if (-6 < n && n <= 0) {
            ascii("0.");
            for (long i = n; i < 0; i++) {
                put('0');
            }
            ascii(digits);
        } else {
            put(digits.charAt(0));
            if (k > 1) {
                put('.');
                ascii(digits.substring(1));
            }
            long exponent = n - 1;
            ascii(exponent < 0 ? "e-" : "e+");
            ascii(Long.toString(Math.abs(exponent)));
        }
    }

    private void writeString(String text) {
        int length = text.length();
        reserve(length * 6 + 2);
        buffer[size++] = '"';
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c >= 0x20 && c < 0x80) {
                if (c == '"' || c == '\\') {
                    buffer[size++] = '\\';
                }
                buffer[size++] = (byte) c;
            } else if (c < 0x20) {
                escape(c);
            } else if (c < 0x800) {
                buffer[size++] = (byte) (0xC0 | c >> 6);
                buffer[size++] = (byte) (0x80 | c & 0x3F);
            } else if (!Character.isSurrogate(c)) {
                buffer[size++] = (byte) (0xE0 | c >> 12);
                buffer[size++] = (byte) (0x80 | c >> 6 & 0x3F);
                buffer[size++] = (byte) (0x80 | c & 0x3F);
            } else {
                if (!Character.isHighSurrogate(c)
                        || i + 1 == length
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw new IllegalArgumentException("text holds half a character");
                }
                int point = Character.toCodePoint(c, text.charAt(++i));
                buffer[size++] = (byte) (0xF0 | point >> 18);
                buffer[size++] = (byte) (0x80 | point >> 12 & 0x3F);
                buffer[size++] = (byte) (0x80 | point >> 6 & 0x3F);
                buffer[size++] = (byte) (0x80 | point & 0x3F);
            }
        }
        buffer[size++] = '"';
    }

    private void escape(char c) {
        buffer[size++] = '\\';
        switch (c) {
            case '\b' -> buffer[size++] = 'b';
            case '\t' -> buffer[size++] = 't';
            case '\n' -> buffer[size++] = 'n';
            case '\f' -> buffer[size++] = 'f';
            case '\r' -> buffer[size++] = 'r';
            default -> {
                buffer[size++] = 'u';
                buffer[size++] = '0';
                buffer[size++] = '0';
                buffer[size++] = HEX[c >> 4];
                buffer[size++] = HEX[c & 0xF];
            }
        }
    }

    private void put(char c) {
        reserve(1);
        buffer[size++] = (byte) c;
    }

    private void reserve(int more) {
        if (size + more > buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, size + more));
        }
    }
}
