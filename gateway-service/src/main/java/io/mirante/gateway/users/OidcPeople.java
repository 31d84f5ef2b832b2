package io.mirante.gateway.users;

import io.mirante.gateway.keys.People;
import io.mirante.gateway.keys.Principal;
import io.mirante.platform.security.CachingJwtDecoder;
import java.time.Clock;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.security.oauth2.core.DelegatingOAuth2TokenValidator;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimNames;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusReactiveJwtDecoder;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;

/**
 * People by the tokens of one OpenID provider, whose keys are found by discovery when the first token comes. A token is
 * good when the provider signed it, for this audience, and it has neither expired nor is yet to begin. Thread-safe.
 */
@Component
final class OidcPeople implements People {

    private static final Logger LOG = LoggerFactory.getLogger(OidcPeople.class);

    private final PersonStore store;
    private final @Nullable ReactiveJwtDecoder decoder;

    OidcPeople(PersonStore store, OidcSettings settings, Clock clock) {
        this.store = store;
        this.decoder = settings.on() ? new CachingJwtDecoder(verifier(settings), clock) : null;
    }

    private static ReactiveJwtDecoder verifier(OidcSettings settings) {
        var verifier =
                NimbusReactiveJwtDecoder.withIssuerLocation(settings.issuer())
                        .webClient(WebClient.builder().filter(new IssuerAnswers()).build())
                        .build();
        verifier.setJwtValidator(
                new DelegatingOAuth2TokenValidator<>(
                        JwtValidators.createDefaultWithIssuer(settings.issuer()),
                        new JwtClaimValidator<List<String>>(
                                JwtClaimNames.AUD,
                                audience ->
                                        audience != null && audience.contains(settings.audience())),
                        new JwtClaimValidator<Object>(
                                JwtClaimNames.EXP, expires -> expires != null)));
        return verifier;
    }

    @Override
    public Mono<Claimed> verify(String token) {
        if (decoder == null) {
            return Mono.empty();
        }
        return decoder.decode(token)
                .filter(jwt -> jwt.getSubject() != null && !jwt.getSubject().isBlank())
                .map(jwt -> new Claimed(jwt.getSubject(), verifiedEmail(jwt)))
                .onErrorResume(
                        BadJwtException.class,
                        e -> {
                            LOG.debug("a person's token is refused: {}", e.getMessage());
                            return Mono.empty();
                        });
    }

    private static String verifiedEmail(Jwt jwt) {
        var email = jwt.getClaimAsString("email");
        return email == null || !"true".equals(jwt.getClaimAsString("email_verified"))
                ? ""
                : email.strip().toLowerCase(Locale.ROOT);
    }

    @Override
    public Mono<Principal> find(Claimed claimed) {
        return store.signedIn(claimed)
                .map(person ->
                        new Principal(
                                person.tenantId(),
                                person.id(),
                                Role.scopes(person.roles()),
                                person.limitedTo()));
    }
}
