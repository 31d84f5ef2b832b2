package io.mirante.contracts;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * SHA-256 for hot paths: looking an algorithm up costs as much as hashing a thousand bytes, copying a fresh digest next
 * to nothing. Thread-safe.
 */
public final class Sha256 {

    private static final MessageDigest FRESH = fresh();

    private Sha256() {}

    /** Hex digits of the hash of some bytes, lower case. */
    public static String hex(byte[] bytes) {
        return hex(bytes, 0, bytes.length);
    }

    /**
     * The same for a part of an array.
     *
     * @param from its first byte
     * @param length in bytes
     */
    public static String hex(byte[] bytes, int from, int length) {
        try {
            var digest = (MessageDigest) FRESH.clone();
            digest.update(bytes, from, length);
            return HexFormat.of().formatHex(digest.digest());
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException("every JDK's SHA-256 can be copied", e);
        }
    }

    private static MessageDigest fresh() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
