package io.mirante.platform.messaging;

import io.mirante.contracts.gateway.MaskingRule;
import io.mirante.contracts.masking.Masker;
import io.mirante.platform.tenants.Tenants;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Masks personal data in what is shown of dead letters, by the tenant's rules, then by the defaults. Hashes are salted anew
 * by each start of the service: they compare within its answers, with nothing else. Thread-safe.
 */
final class DeadLetterMasks {

    /** Longest value shown, in characters. */
    static final int MAX_SHOWN = 16_384;

    private static final int MAX_DETAIL = 2_000;
    private static final int MAX_REMEMBERED = 1_000;

    /** Reads also what is dead for a field that stands twice. */
    private static final JsonMapper LENIENT =
            JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

    private final Tenants tenants;
    private final byte[] salt = new byte[32];
    private final Map<String, Remembered> remembered = new ConcurrentHashMap<>();

    private record Remembered(List<MaskingRule> rules, Masker masker) {}

    DeadLetterMasks(Tenants tenants) {
        this.tenants = tenants;
        new SecureRandom().nextBytes(salt);
    }

    /**
     * A value for showing.
     *
     * @param truncated {@code text} is only its beginning
     */
    record Shown(String text, boolean truncated) {}

    /** By its fields' names where it can be read at all, by patterns alone where it cannot. */
    Shown value(@Nullable String tenantId, byte[] value) {
        var masker = masker(tenantId);
        String text;
        try {
            text = masker.mask(LENIENT.readTree(value)).toString();
        } catch (JacksonException e) {
            text = masker.mask(new String(value, StandardCharsets.UTF_8));
        }
        var shown = cut(text, MAX_SHOWN);
        return new Shown(shown, shown.length() < text.length());
    }

    /** A sentence for showing. */
    String detail(@Nullable String tenantId, String detail) {
        return cut(masker(tenantId).mask(detail), MAX_DETAIL);
    }

    private Masker masker(@Nullable String tenantId) {
        List<MaskingRule> rules =
                tenantId == null ? List.of() : tenants.settings(tenantId).masking();
        var name = tenantId == null ? "" : tenantId;
        var known = remembered.get(name);
        if (known != null && known.rules().equals(rules)) {
            return known.masker();
        }
        if (remembered.size() >= MAX_REMEMBERED) {
            remembered.clear();
        }
        var masker = new Masker(rules, salt);
        remembered.put(name, new Remembered(List.copyOf(rules), masker));
        return masker;
    }

    private static String cut(String text, int length) {
        if (text.length() <= length) {
            return text;
        }
        return text.substring(
                0, Character.isHighSurrogate(text.charAt(length - 1)) ? length - 1 : length);
    }
}
