package io.mirante.alert.webhook;

import org.jspecify.annotations.Nullable;

/**
 * Who is told about an alert.
 *
 * @param ownerId a rule, or an alert raised by hand
 * @param disabledReason why nothing is sent any more; null = it is
 * @param newSecret shown once, when it was made here; else null
 */
public record Recipient(
        String id,
        String ownerId,
        String url,
        @Nullable String disabledReason,
        @Nullable String newSecret) {

    /**
     * As a caller asks for it.
     *
     * @param secret {@code whsec_…}; null = one is made, or the known one of that URL stays
     */
    public record Draft(String url, @Nullable String secret) {}
}
