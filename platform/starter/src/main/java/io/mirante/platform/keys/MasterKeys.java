package io.mirante.platform.keys;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * The installation's master keys, 256 bits each, newest first. The newest encrypts, all decrypt; the oldest salts the
 * tenants' hashes, so that a new key put on top changes none. Immutable, never printed.
 */
public final class MasterKeys {

    /** Length of a key. */
    public static final int KEY_BYTES = 32;

    static final int ID_BYTES = 4;

    private final List<byte[]> keys;

    MasterKeys(List<byte[]> keys) {
        if (keys.isEmpty() || keys.stream().anyMatch(k -> k.length != KEY_BYTES)) {
            throw new IllegalArgumentException(
                    "a master key must be 32 bytes in Base64, one key a line; make one with openssl"
                            + " rand -base64 32");
        }
        this.keys = List.copyOf(keys);
    }

    /**
     * Reads keys, one a line in Base64, newest first.
     *
     * @throws IllegalStateException when the file does not hold such keys; the message shows none of it
     */
    public static MasterKeys read(Path file) {
        try {
            var keys = new ArrayList<byte[]>();
            for (var line : Files.readAllLines(file, StandardCharsets.US_ASCII)) {
                if (!line.isBlank()) {
                    keys.add(Base64.getDecoder().decode(line.strip()));
                }
            }
            return new MasterKeys(keys);
        } catch (IOException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "the master key (MIRANTE_MASTER_KEY_FILE) cannot be read: it must be 32 bytes in"
                            + " Base64, one key a line, in "
                            + file);
        }
    }

    /** A key of its own, for tests. */
    public static MasterKeys random() {
        var key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        return new MasterKeys(List.of(key));
    }

    /** The salt of a tenant's hashes: 32 bytes that only the master key gives. */
    public byte[] salt(String tenant) {
        return hmac(keys.getLast(), "masking\n" + tenant);
    }

    byte[] newest() {
        return keys.getFirst();
    }

    /** What tells a key from others without telling anything of it. */
    static byte[] id(byte[] key) {
        return Arrays.copyOf(hmac(key, "id"), ID_BYTES);
    }

    /** The key with this id; null when it is not among them. */
    byte @Nullable [] find(byte[] id) {
        for (var key : keys) {
            if (Arrays.equals(id(key), id)) {
                return key;
            }
        }
        return null;
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }
}
