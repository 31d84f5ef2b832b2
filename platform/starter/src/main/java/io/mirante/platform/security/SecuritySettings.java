package io.mirante.platform.security;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Keys for the tokens between services.
 *
 * @param jwksFile public keys of all who may sign, a JWK set; a key id says who: {@code gateway-…} signs for callers,
 *     any other only scope {@code internal}
 * @param signingKeyFile this service's private key (JWK), when it signs tokens itself
 */
@ConfigurationProperties("mirante.security")
public record SecuritySettings(Path jwksFile, @Nullable Path signingKeyFile) {}
