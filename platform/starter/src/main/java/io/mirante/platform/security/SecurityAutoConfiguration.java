package io.mirante.platform.security;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import io.mirante.platform.web.ProblemHandler;
import io.mirante.platform.web.RequestIds;
import java.io.IOException;
import java.nio.file.Files;
import java.text.ParseException;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.security.config.annotation.web.reactive.EnableWebFluxSecurity;
import org.springframework.security.config.observation.SecurityObservationSettings;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.oauth2.jwt.BadJwtException;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.NimbusReactiveJwtDecoder;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.context.NoOpServerSecurityContextRepository;
import org.springframework.security.web.server.firewall.ServerWebExchangeFirewall;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/**
 * Every service is an OAuth2 resource server for tokens that the gateway signs (or a service, for scope {@code
 * internal}). Only OpenAPI is open; the actuator has its own port.
 */
@AutoConfiguration
@EnableWebFluxSecurity
@Import(MethodSecurity.class)
@EnableConfigurationProperties(SecuritySettings.class)
public class SecurityAutoConfiguration {

    private static final String GATEWAY_KEYS = "gateway";

    @Bean
    @ConditionalOnMissingBean
    Clock clock() {
        return Clock.systemUTC();
    }

    @Bean
    @ConditionalOnMissingBean(ReactiveJwtDecoder.class)
    @ConditionalOnProperty("mirante.security.jwks-file")
    CachingJwtDecoder jwtDecoder(SecuritySettings settings, Clock clock) {
        return new CachingJwtDecoder(verifier(settings), clock);
    }

    /** Security's own steps are no news: that a request was made, and how it ended, is measured once, by the server. */
    @Bean
    @ConditionalOnMissingBean
    SecurityObservationSettings securityObservations() {
        return SecurityObservationSettings.noObservations();
    }

    @Bean
    @ConditionalOnMissingBean
    ServerWebExchangeFirewall firewall() {
        return Firewall.strict();
    }

    @Bean
    @ConditionalOnProperty("mirante.security.signing-key-file")
    TokenMinter tokenMinter(SecuritySettings settings, Clock clock) {
        var file = settings.signingKeyFile();
        if (file == null) {
            throw new IllegalStateException("mirante.security.signing-key-file is empty");
        }
        return TokenMinter.fromFile(file, clock);
    }

    @Bean
    @ConditionalOnMissingBean(SecurityWebFilterChain.class)
    SecurityWebFilterChain serviceSecurity(ServerHttpSecurity http, JsonMapper json) {
        return http.csrf(ServerHttpSecurity.CsrfSpec::disable)
                .httpBasic(ServerHttpSecurity.HttpBasicSpec::disable)
                .formLogin(ServerHttpSecurity.FormLoginSpec::disable)
                .logout(ServerHttpSecurity.LogoutSpec::disable)
                .requestCache(ServerHttpSecurity.RequestCacheSpec::disable)
                .securityContextRepository(NoOpServerSecurityContextRepository.getInstance())
                .authorizeExchange(exchanges ->
                        exchanges
                                .pathMatchers("/v3/api-docs/**", "/actuator/**")
                                .permitAll()
                                .anyExchange()
                                .authenticated())
                .oauth2ResourceServer(server ->
                        server.jwt(jwt -> {})
                                .authenticationEntryPoint((exchange, e) ->
                                        refuse(
                                                exchange,
                                                json,
                                                HttpStatus.UNAUTHORIZED,
                                                "unauthorized",
                                                "no valid token; calls come through the gateway")))
                .exceptionHandling(handling ->
                        handling.accessDeniedHandler((exchange, e) ->
                                        refuse(
                                                exchange,
                                                json,
                                                HttpStatus.FORBIDDEN,
                                                "missing-scope",
                                                "the key lacks the scope for this call"))
                                .authenticationEntryPoint((exchange, e) ->
                                        refuse(
                                                exchange,
                                                json,
                                                HttpStatus.UNAUTHORIZED,
                                                "unauthorized",
                                                "no valid token; calls come through the gateway")))
                .build();
    }

    private static Mono<Void> refuse(
            ServerWebExchange exchange,
            JsonMapper json,
            HttpStatus status,
            String kind,
            String detail) {
        var response = exchange.getResponse();
        response.setStatusCode(status);
        response.getHeaders().setContentType(MediaType.APPLICATION_PROBLEM_JSON);
        var body =
                json.writeValueAsBytes(
                        ProblemHandler.body(
                                status,
                                kind,
                                detail,
                                exchange.getRequest().getPath().value(),
                                RequestIds.of(exchange)));
        return response.writeWith(Mono.just(response.bufferFactory().wrap(body)));
    }

    /** Picks the key by its id; a key that is not the gateway's may say nothing but {@code internal}. */
    private static ReactiveJwtDecoder verifier(SecuritySettings settings) {
        Map<String, ReactiveJwtDecoder> byKey = new HashMap<>();
        try {
            for (var key : JWKSet.parse(Files.readString(settings.jwksFile())).getKeys()) {
                byKey.put(
                        key.getKeyID(),
                        NimbusReactiveJwtDecoder.withPublicKey(((RSAKey) key).toRSAPublicKey())
                                .build());
            }
        } catch (IOException | ParseException | JOSEException e) {
            throw new IllegalStateException(
                    "the public keys (MIRANTE_JWKS_FILE) cannot be read: " + e.getMessage(), e);
        }
        return token -> {
            String keyId;
            try {
                var header = com.nimbusds.jwt.SignedJWT.parse(token).getHeader();
                if (!JWSAlgorithm.RS256.equals(header.getAlgorithm())) {
                    return Mono.error(new BadJwtException("algorithm is not RS256"));
                }
                keyId = String.valueOf(header.getKeyID());
            } catch (ParseException e) {
                return Mono.error(new BadJwtException("not a token", e));
            }
            var decoder = byKey.get(keyId);
            if (decoder == null) {
                return Mono.error(new BadJwtException("unknown key"));
            }
            return decoder.decode(token).flatMap(jwt -> limited(jwt, keyId));
        };
    }

    private static Mono<Jwt> limited(Jwt jwt, String keyId) {
        boolean gateway = keyId.startsWith(GATEWAY_KEYS);
        if (gateway || List.of(TokenMinter.INTERNAL).equals(List.of(scope(jwt)))) {
            return Mono.just(jwt);
        }
        return Mono.error(new BadJwtException("this key signs internal calls only"));
    }

    private static String scope(Jwt jwt) {
        var scope = jwt.getClaimAsString("scope");
        return scope == null ? "" : scope;
    }
}
