package io.mirante.contracts;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * Ids for events that came without one, as UUIDs of version 5 (RFC 9562): the same record or line has the same id for
 * ever, so that taking it again adds nothing. Holds no state.
 */
public final class Uuid5 {

    /** RFC 9562's namespace for URLs. */
    private static final byte[] NAMESPACE = {
        0x6b,
        (byte) 0xa7,
        (byte) 0xb8,
        0x11,
        (byte) 0x9d,
        (byte) 0xad,
        0x11,
        (byte) 0xd1,
        (byte) 0x80,
        (byte) 0xb4,
        0x00,
        (byte) 0xc0,
        0x4f,
        (byte) 0xd4,
        0x30,
        (byte) 0xc8
    };

    private Uuid5() {}

    /**
     * The id of a record that an outside producer wrote.
     *
     * @param timestamp the record's, in milliseconds: in a topic that was made anew, positions come again
     */
    public static UUID ofRecord(String topic, int partition, long offset, long timestamp) {
        return of(utf8(topic + "\n" + partition + "\n" + offset + "\n" + timestamp));
    }

    /**
     * The id of a line of a file.
     *
     * @param source the file's name, or the one given in its place
     * @param number from 1, the header included
     * @param line its bytes, without the end of line
     */
    public static UUID ofLine(String tenant, String source, long number, byte[] line) {
        return of(utf8(tenant + "\n" + source + "\n" + number + "\n"), line);
    }

    /** The id of a name that consists of these parts, one after the other, in the namespace for URLs. */
    public static UUID of(byte[]... parts) {
        var sha1 = sha1();
        sha1.update(NAMESPACE);
        for (var part : parts) {
            sha1.update(part);
        }
        var hash = sha1.digest();
        hash[6] = (byte) (hash[6] & 0x0f | 0x50);
        hash[8] = (byte) (hash[8] & 0x3f | 0x80);
        return new UUID(bits(hash, 0), bits(hash, 8));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static long bits(byte[] bytes, int from) {
        long value = 0;
        for (int i = from; i < from + 8; i++) {
            value = value << 8 | bytes[i] & 0xffL;
        }
        return value;
    }

    private static MessageDigest sha1() {
        try {
            return MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }
}
