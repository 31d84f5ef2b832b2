package io.mirante.gateway.keys;

import java.util.List;

/**
 * Who a key stands for.
 *
 * @param keyId the key's id, never the key
 * @param scopes what it may do
 * @param orgUnits org units it is limited to; empty = not limited
 */
public record Principal(String tenant, String keyId, List<String> scopes, List<String> orgUnits) {

    public Principal {
        scopes = List.copyOf(scopes);
        orgUnits = List.copyOf(orgUnits);
    }

    public boolean may(String scope) {
        return scopes.contains(scope);
    }
}
