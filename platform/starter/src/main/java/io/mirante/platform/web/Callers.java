package io.mirante.platform.web;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.oauth2.server.resource.authentication.JwtAuthenticationToken;

/** Turns a verified token into a {@link Caller}. */
public final class Callers {

    private static final String PREFIX = "SCOPE_";

    private Callers() {}

    /** The caller; empty when the authentication is not such a token or names no tenant. */
    public static Optional<Caller> of(@Nullable Authentication authentication) {
        if (!(authentication instanceof JwtAuthenticationToken token)) {
            return Optional.empty();
        }
        var jwt = token.getToken();
        var tenant = jwt.getClaimAsString("tenant");
        if (tenant == null || tenant.isEmpty()) {
            return Optional.empty();
        }
        var orgUnits = jwt.getClaimAsStringList("org_units");
        return Optional.of(
                new Caller(
                        tenant,
                        jwt.getSubject() == null ? "" : jwt.getSubject(),
                        token.getAuthorities().stream()
                                .map(GrantedAuthority::getAuthority)
                                .filter(a -> a != null && a.startsWith(PREFIX))
                                .map(a -> a.substring(PREFIX.length()))
                                .collect(Collectors.toSet()),
                        orgUnits == null ? List.of() : orgUnits));
    }
}
