package io.mirante.contracts.events;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One walk over a tree that finds what later steps could not store: NUL and half characters (PostgreSQL and UTF-8 have
 * neither), numbers beyond a double or of very many digits, deep nesting, and too many bytes.
 */
final class TreeGuard {

    static final String TOO_LARGE = "too_large";

    /**
     * Of a number with a fraction. Doubles have 17 and money fewer; Jackson reads 1,000, but the sum of two such numbers
     * can have more, and would not be read back.
     */
    static final int MAX_DIGITS = 100;

    private final int maxDepth;
    private final long maxBytes;
    private long bytes;

    private TreeGuard(int maxDepth, long maxBytes) {
        this.maxDepth = maxDepth;
        this.maxBytes = maxBytes;
    }

    /**
     * The first thing that is wrong, or null.
     *
     * @param maxBytes largest size of the tree as compact UTF-8 JSON
     */
    static @Nullable FieldError check(JsonNode tree, int maxDepth, long maxBytes) {
        return new TreeGuard(maxDepth, maxBytes).walk(tree, 1);
    }

    /** Whether UTF-8 and PostgreSQL can hold a text. */
    static boolean storable(String text) {
        return new TreeGuard(1, Long.MAX_VALUE).string(text) == null;
    }

    /** A name as part of a JSON pointer. */
    static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private @Nullable FieldError walk(JsonNode node, int depth) {
        FieldError fault =
                switch (node.getNodeType()) {
                    case OBJECT -> depth > maxDepth ? tooDeep() : object(node, depth);
                    case ARRAY -> depth > maxDepth ? tooDeep() : array(node, depth);
                    case STRING -> string(node.stringValue());
                    case NUMBER -> number(node);
                    case BOOLEAN -> {
                        bytes += node.booleanValue() ? 4 : 5;
                        yield null;
                    }
                    case NULL -> {
                        bytes += 4;
                        yield null;
                    }
                    default -> new FieldError("", "wrong_type", "holds a value that is not JSON");
                };
        return fault != null ? fault : sizeFault();
    }

    private @Nullable FieldError sizeFault() {
        return bytes > maxBytes ? new FieldError("", TOO_LARGE, "is too large") : null;
    }

    private @Nullable FieldError object(JsonNode object, int depth) {
        bytes += object.isEmpty() ? 2 : 1 + 2L * object.size();
        for (var field : object.properties()) {
            var name = field.getKey();
            var fault = string(name);
            if (fault != null) {
                return new FieldError("", fault.code(), "a field's name " + fault.message());
            }
            fault = walk(field.getValue(), depth + 1);
            if (fault != null) {
                return below(name, fault);
            }
        }
        return null;
    }

    private @Nullable FieldError array(JsonNode array, int depth) {
        bytes += array.isEmpty() ? 2 : 1 + array.size();
        for (int i = 0; i < array.size(); i++) {
            var fault = walk(array.required(i), depth + 1);
            if (fault != null) {
                return below(Integer.toString(i), fault);
            }
        }
        return null;
    }

    private static FieldError below(String name, FieldError fault) {
        if (fault.code().equals(TOO_LARGE)) {
            return fault;
        }
        String message =
                fault.pointer().isEmpty() && !fault.message().startsWith("a field's name")
                        ? name + " " + fault.message()
                        : fault.message();
        return new FieldError("/" + escape(name) + fault.pointer(), fault.code(), message);
    }

    private FieldError tooDeep() {
        return new FieldError("", "too_deep", "is nested deeper than " + maxDepth + " levels");
    }

    private @Nullable FieldError string(String text) {
        int length = text.length();
        long size = length + 2L;
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c >= 0x20 && c < 0x80) {
                if (c == '"' || c == '\\') {
                    size++;
                }
            } else if (c < 0x20) {
                if (c == 0) {
                    return new FieldError(
                            "", "nul_character", "holds the character U+0000; remove it");
                }
                size += c == '\b' || c == '\t' || c == '\n' || c == '\f' || c == '\r' ? 1 : 5;
            } else if (c < 0x800) {
                size += 1;
            } else if (!Character.isSurrogate(c)) {
                size += 2;
            } else if (Character.isHighSurrogate(c)
                    && i + 1 < length
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                size += 2;
            } else {
                return new FieldError(
                        "",
                        "lone_surrogate",
                        "holds half of a character (a lone surrogate); send complete Unicode text");
            }
        }
        bytes += size;
        return null;
    }

    private @Nullable FieldError number(JsonNode number) {
        if (number.isInt() || number.isLong()) {
            bytes += digits(number.longValue());
            return null;
        }
        boolean fits;
        if (number.isDouble() || number.isFloat()) {
            fits = Double.isFinite(number.doubleValue());
        } else if (number.isBigInteger()) {
            BigInteger value = number.bigIntegerValue();
            fits = value.bitLength() < 1_000 || Double.isFinite(value.doubleValue());
        } else {
            var value = number.decimalValue();
            if (value.precision() > MAX_DIGITS) {
                return new FieldError(
                        "",
                        "number_too_long",
                        "is a number of more than %d digits; round it, or send it as text"
                                .formatted(MAX_DIGITS));
            }
            fits = inDoubleRange(value);
        }
        if (!fits) {
            return new FieldError(
                    "",
                    "number_out_of_range",
                    "is a number beyond ±1.8e308 or closer to zero than 4.9e-324; send it as text");
        }
        bytes += number.asString().length();
        return null;
    }

    private static boolean inDoubleRange(BigDecimal value) {
        if (value.signum() == 0) {
            return Math.abs((long) value.scale()) < 1_000;
        }
        long magnitude = (long) value.precision() - value.scale();
        if (magnitude > -300 && magnitude < 300) {
            return true;
        }
        double nearest = magnitude > 400 || magnitude < -400 ? 0 : value.doubleValue();
        return nearest != 0 && Double.isFinite(nearest);
    }

    private static int digits(long value) {
        if (value == Long.MIN_VALUE) {
            return 20;
        }
        int digits = value < 0 ? 2 : 1;
        for (long rest = Math.abs(value); rest >= 10; rest /= 10) {
            digits++;
        }
        return digits;
    }
}
