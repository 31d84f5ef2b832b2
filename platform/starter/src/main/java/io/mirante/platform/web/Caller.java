package io.mirante.platform.web;

import java.util.List;
import java.util.Set;

/**
 * Who calls, from the verified token: never from a header. A controller takes it as a parameter.
 *
 * @param tenant the tenant whose data the call sees
 * @param subject the key's or person's id
 * @param scopes such as {@code analytics.view}
 * @param orgUnits org units the caller is limited to; empty = not limited
 */
public record Caller(String tenant, String subject, Set<String> scopes, List<String> orgUnits) {

    public Caller {
        scopes = Set.copyOf(scopes);
        orgUnits = List.copyOf(orgUnits);
    }
}
