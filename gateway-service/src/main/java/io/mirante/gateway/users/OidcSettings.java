package io.mirante.gateway.users;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How people sign in.
 *
 * @param issuer URL of the OpenID provider, exactly as its tokens name it; empty = people cannot sign in
 * @param audience what a token's {@code aud} must contain: a token for another application is refused
 */
@ConfigurationProperties("mirante.gateway.oidc")
record OidcSettings(@DefaultValue("") String issuer, @DefaultValue("mirante") String audience) {

    OidcSettings {
        issuer = issuer.strip();
        if (!(issuer.isEmpty()
                || issuer.startsWith("https://")
                || issuer.startsWith("http://127.0.0.1")
                || issuer.startsWith("http://localhost"))) {
            throw new IllegalArgumentException(
                    "mirante.gateway.oidc.issuer (OIDC_ISSUER) must be an https URL, was "
                            + issuer);
        }
        if (audience.isBlank()) {
            throw new IllegalArgumentException(
                    "mirante.gateway.oidc.audience (OIDC_AUDIENCE) must not be empty");
        }
    }

    boolean on() {
        return !issuer.isEmpty();
    }
}
