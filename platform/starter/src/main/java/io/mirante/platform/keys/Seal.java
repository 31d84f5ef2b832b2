package io.mirante.platform.keys;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts bytes for one tenant: AES-256-GCM under a data key of the tenant's, which travels beside them, wrapped by the
 * master key. No store is asked, so an event can be rejected while PostgreSQL is away. A data key serves one tenant for a
 * day at most; nonces are random, and far fewer than 2^32 a key. Thread-safe.
 *
 * <p>Layout: version 1 (1 byte), id of the master key (4), nonce and wrapped data key (12 + 48), nonce and ciphertext
 * (12 + length + 16). The tenant is authenticated with the wrapped key, tenant and name with the content, so that neither
 * can be moved to another row or tenant.
 */
public final class Seal {

    private static final byte VERSION = 1;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BYTES = 16;
    private static final int WRAPPED_BYTES = NONCE_BYTES + MasterKeys.KEY_BYTES + TAG_BYTES;
    private static final int HEAD_BYTES = 1 + MasterKeys.ID_BYTES + WRAPPED_BYTES;

    private final MasterKeys masters;
    private final SecureRandom random = new SecureRandom();
    private final Cache<String, DataKey> dataKeys =
            Caffeine.newBuilder().maximumSize(10_000).expireAfterWrite(Duration.ofDays(1)).build();

    public Seal(MasterKeys masters) {
        this.masters = masters;
    }

    private record DataKey(byte[] key, byte[] head) {}

    /**
     * Encrypts a range of bytes.
     *
     * @param name what they are, such as a row's id; needed to open them
     */
    public byte[] close(String tenant, String name, byte[] bytes, int from, int to) {
        var dataKey = dataKeys.get(tenant, this::newDataKey);
        var nonce = nonce();
        try {
            var cipher = cipher(Cipher.ENCRYPT_MODE, dataKey.key(), nonce, tenant + "\n" + name);
            return ByteBuffer.allocate(HEAD_BYTES + NONCE_BYTES + to - from + TAG_BYTES)
                    .put(dataKey.head())
                    .put(nonce)
                    .put(cipher.doFinal(bytes, from, to - from))
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM must be available", e);
        }
    }

    /**
     * Decrypts what {@link #close} made for the same tenant and name.
     *
     * @return null when the master key is not known any more, or the bytes are not what was sealed
     */
    public byte @Nullable [] open(String tenant, String name, byte[] sealed) {
        if (sealed.length < HEAD_BYTES + NONCE_BYTES + TAG_BYTES || sealed[0] != VERSION) {
            return null;
        }
        var in = ByteBuffer.wrap(sealed).position(1);
        var master = masters.find(take(in, MasterKeys.ID_BYTES));
        if (master == null) {
            return null;
        }
        try {
            var keyNonce = take(in, NONCE_BYTES);
            var wrapped = take(in, WRAPPED_BYTES - NONCE_BYTES);
            var key =
                    cipher(Cipher.DECRYPT_MODE, master, keyNonce, "key\n" + tenant)
                            .doFinal(wrapped);
            var nonce = take(in, NONCE_BYTES);
            return cipher(Cipher.DECRYPT_MODE, key, nonce, tenant + "\n" + name)
                    .doFinal(take(in, in.remaining()));
        } catch (AEADBadTagException e) {
            return null;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM must be available", e);
        }
    }

    private DataKey newDataKey(String tenant) {
        var key = new byte[MasterKeys.KEY_BYTES];
        random.nextBytes(key);
        var master = masters.newest();
        var nonce = nonce();
        try {
            var wrapped = cipher(Cipher.ENCRYPT_MODE, master, nonce, "key\n" + tenant).doFinal(key);
            var head =
                    ByteBuffer.allocate(HEAD_BYTES)
                            .put(VERSION)
                            .put(MasterKeys.id(master))
                            .put(nonce)
                            .put(wrapped)
                            .array();
            return new DataKey(key, head);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM must be available", e);
        }
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce, String context)
            throws GeneralSecurityException {
        var cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(
                mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BYTES * 8, nonce));
        cipher.updateAAD(context.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }

    private byte[] nonce() {
        var nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        return nonce;
    }

    private static byte[] take(ByteBuffer in, int length) {
        var bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }
}
