package io.mirante.bench.demo;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/** UUIDs of version 5 (RFC 9562): SHA-1 over a namespace and a name, so that the same line has the same id for ever. */
final class Uuid5 {
    /** RFC 9562's namespace for URLs. */
    private static final byte[] URL_NAMESPACE = {
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

    /** The id of one line of a source: name, 1-based line number and the line's bytes, each ended by a line feed. */
    static UUID ofLine(String source, long lineNumber, byte[] line) {
        MessageDigest sha1 = sha1();
        sha1.update(URL_NAMESPACE);
        sha1.update((source + "\n" + lineNumber + "\n").getBytes(StandardCharsets.UTF_8));
        sha1.update(line);
        sha1.update((byte) '\n');
        byte[] hash = sha1.digest();
        hash[6] = (byte) (hash[6] & 0x0f | 0x50);
        hash[8] = (byte) (hash[8] & 0x3f | 0x80);
        return new UUID(bits(hash, 0), bits(hash, 8));
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
