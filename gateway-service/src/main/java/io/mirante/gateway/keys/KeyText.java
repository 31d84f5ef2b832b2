package io.mirante.gateway.keys;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * A key as it is shown once: {@code mrt_<env>_<key id>_<secret>_<checksum>}. The prefix lets secret scanners find a leaked
 * key, the checksum lets a mistyped one be refused without a look-up. Never log one: {@link #toString()} shows no secret.
 *
 * @param environment 1 to 16 of {@code a-z0-9}: which installation made it
 * @param id 16 of {@code a-z0-9}; no secret
 * @param secret 256 random bits, 43 of {@code 0-9A-Za-z}
 */
record KeyText(String environment, String id, String secret) {

    static final String PREFIX = "mrt_";

    private static final String DIGITS =
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int SECRET_BITS = 256;
    private static final int SECRET_LENGTH = 43;
    private static final int CHECKSUM_LENGTH = 6;
    private static final int ID_LENGTH = 16;
    private static final String ID_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz";
    private static final Pattern FORM =
            Pattern.compile(
                    "mrt_([a-z0-9]{1,16})_([a-z0-9]{16})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})");

    /** A new key. */
    static KeyText make(String environment, SecureRandom random) {
        var id = new StringBuilder();
        for (int i = 0; i < ID_LENGTH; i++) {
            id.append(ID_DIGITS.charAt(random.nextInt(ID_DIGITS.length())));
        }
        return new KeyText(environment, id.toString(), newSecret(random));
    }

    /** The same key with another secret. */
    KeyText rotated(SecureRandom random) {
        return new KeyText(environment, id, newSecret(random));
    }

    /** Reads a key; empty when the text is none, or its checksum is wrong. */
    static Optional<KeyText> read(String text) {
        var form = FORM.matcher(text);
        if (!form.matches()) {
            return Optional.empty();
        }
        var key = new KeyText(form.group(1), form.group(2), form.group(3));
        return key.checksum().equals(form.group(4)) ? Optional.of(key) : Optional.empty();
    }

    /** The key to hand out. */
    String text() {
        return body() + "_" + checksum();
    }

    private String body() {
        return PREFIX + environment + "_" + id + "_" + secret;
    }

    private String checksum() {
        var crc = new CRC32();
        crc.update(body().getBytes(StandardCharsets.US_ASCII));
        return base62(BigInteger.valueOf(crc.getValue()), CHECKSUM_LENGTH);
    }

    private static String newSecret(SecureRandom random) {
        return base62(new BigInteger(SECRET_BITS, random), SECRET_LENGTH);
    }

    private static String base62(BigInteger number, int length) {
        var base = BigInteger.valueOf(DIGITS.length());
        var text = new StringBuilder();
        var rest = number;
        for (int i = 0; i < length; i++) {
            var parts = rest.divideAndRemainder(base);
            text.append(DIGITS.charAt(parts[1].intValue()));
            rest = parts[0];
        }
        return text.reverse().toString();
    }

    @Override
    public String toString() {
        return PREFIX + environment + "_" + id + "_…";
    }
}
