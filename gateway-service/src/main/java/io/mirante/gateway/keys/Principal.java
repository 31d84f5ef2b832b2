package io.mirante.gateway.keys;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who a key or a person's token stands for.
 *
 * @param keyId the key's or person's id, never the key
 * @param scopes what it may do
 * @param orgUnits org units it is limited to; empty = not limited
 * @param rateLimit requests a minute; null = the tenant's limit, 0 = none
 */
public record Principal(
        String tenant,
        String keyId,
        List<String> scopes,
        List<String> orgUnits,
        @Nullable Integer rateLimit) {

    public Principal {
        scopes = List.copyOf(scopes);
        orgUnits = List.copyOf(orgUnits);
    }

    /** One with the tenant's rate limit. */
    public Principal(String tenant, String keyId, List<String> scopes, List<String> orgUnits) {
        this(tenant, keyId, scopes, orgUnits, null);
    }

    public boolean may(String scope) {
        return scopes.contains(scope);
    }
}
