package io.mirante.contracts.events;

/**
 * Tells UTF-8 from bytes that only look like it. Strict as RFC 3629 is: no overlong forms, no encoded surrogates, nothing
 * above U+10FFFF. A JSON parser is not: it lets the last two through, and they would be passed on.
 */
public final class Utf8 {

    private Utf8() {}

    /** Whether all of it is UTF-8, without a byte order mark. */
    public static boolean valid(byte[] bytes) {
        boolean mark =
                bytes.length >= 3
                        && bytes[0] == (byte) 0xEF
                        && bytes[1] == (byte) 0xBB
                        && bytes[2] == (byte) 0xBF;
        return !mark && firstFault(bytes, 0, bytes.length) < 0;
    }

    /** Where the first byte lies that begins no character, or -1. */
    static int firstFault(byte[] bytes, int from, int to) {
        int i = from;
        while (i < to) {
            byte b = bytes[i];
            if (b >= 0) {
                i++;
                continue;
            }
            int length = length(bytes, i, to);
            if (length == 0) {
                return i;
            }
            i += length;
        }
        return -1;
    }

    /** Bytes of the character that begins at {@code at}, 2 to 4; 0 when none does. */
    private static int length(byte[] bytes, int at, int to) {
        int first = bytes[at] & 0xFF;
        int length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
        if (length == 0 || at + length > to) {
            return 0;
        }
        int second = bytes[at + 1] & 0xFF;
        int least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (second < least || second > most) {
            return 0;
        }
        for (int i = at + 2; i < at + length; i++) {
            if ((bytes[i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return length;
    }
}
