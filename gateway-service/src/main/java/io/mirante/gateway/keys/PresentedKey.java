package io.mirante.gateway.keys;

import io.mirante.contracts.Sha256;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/**
 * Reads the key a client sent. A key leaves this class as its fingerprint only: the hex SHA-256 of the whole, for a made key
 * followed by its id and the hex SHA-256 of its secret, separated by colons. A person's token (a JWT) leaves as {@code
 * jwt:} and itself, because its issuer's signature is still to be checked.
 */
public final class PresentedKey {

    private static final int MAX_LENGTH = 512;
    private static final int MAX_TOKEN_LENGTH = 8_192;
    private static final String QUERY_PARAMETER = "api_key";

    /** What a person's token begins with here. */
    static final String TOKEN = "jwt:";

    private PresentedKey() {}

    /**
     * Fingerprint of the key in {@code x-api-key}, else {@code Authorization: Bearer}, else the user name of Basic with an
     * empty password; null when there is none.
     */
    public static @Nullable String hashOf(HttpHeaders headers) {
        return hashOf(headers.getFirst("x-api-key"), headers.getFirst(HttpHeaders.AUTHORIZATION));
    }

    /** The same for the first values of the two headers, null where there is none. */
    public static @Nullable String hashOf(@Nullable String apiKey, @Nullable String authorization) {
        var key = apiKey == null || apiKey.isBlank() ? fromAuthorization(authorization) : apiKey;
        return key == null ? null : hash(key);
    }

    /** The same for {@code ?api_key=} of a raw query string. */
    public static @Nullable String hashOfQuery(@Nullable String rawQuery) {
        if (rawQuery == null) {
            return null;
        }
        for (var part : rawQuery.split("&")) {
            if (part.startsWith(QUERY_PARAMETER + "=")) {
                try {
                    return hash(
                            URLDecoder.decode(
                                    part.substring(QUERY_PARAMETER.length() + 1),
                                    StandardCharsets.UTF_8));
                } catch (IllegalArgumentException e) {
                    return null;
                }
            }
        }
        return null;
    }

    /** The raw query string without {@code api_key}; null when nothing is left. */
    public static @Nullable String withoutKey(@Nullable String rawQuery) {
        if (rawQuery == null) {
            return null;
        }
        var kept = new StringBuilder();
        for (var part : rawQuery.split("&")) {
            if (!part.equals(QUERY_PARAMETER) && !part.startsWith(QUERY_PARAMETER + "=")) {
                kept.append(kept.isEmpty() ? "" : "&").append(part);
            }
        }
        return kept.isEmpty() ? null : kept.toString();
    }

    /** Hex SHA-256 of a key as it was sent; null when it is blank or too long to be one. */
    public static @Nullable String hashOf(String key) {
        return hash(key);
    }

    /** Hex SHA-256 of a key as it was configured. */
    static String sha256(String key) {
        return Sha256.hex(key.getBytes(StandardCharsets.UTF_8));
    }

    private static @Nullable String hash(String key) {
        var text = key.strip();
        if (looksLikeToken(text)) {
            return TOKEN + text;
        }
        if (text.isEmpty() || text.length() > MAX_LENGTH) {
            return null;
        }
        return text.startsWith(KeyText.PREFIX)
                ? KeyText.read(text)
                        .map(made -> sha256(text) + ":" + made.id() + ":" + sha256(made.secret()))
                        .orElseGet(() -> sha256(text))
                : sha256(text);
    }

    /** Three parts of base64, the first of which begins with an opening brace. */
    private static boolean looksLikeToken(String text) {
        return text.startsWith("ey")
                && text.length() <= MAX_TOKEN_LENGTH
                && text.chars().filter(c -> c == '.').count() == 2;
    }

    private static @Nullable String fromAuthorization(@Nullable String header) {
        if (header == null) {
            return null;
        }
        if (header.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return header.substring(7);
        }
        if (header.regionMatches(true, 0, "Basic ", 0, 6)) {
            try {
                var userAndPassword =
                        new String(
                                Base64.getDecoder().decode(header.substring(6).strip()),
                                StandardCharsets.UTF_8);
                return userAndPassword.endsWith(":")
                        ? userAndPassword.substring(0, userAndPassword.length() - 1)
                        : null;
            } catch (IllegalArgumentException e) {
                return null;
            }
        }
        return null;
    }
}
