package io.mirante.gateway.guard;

import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Which web pages may call the gateway from a browser.
 *
 * @param enabled off: a browser lets no page of another origin call
 * @param allowedOrigins such as {@code https://app.example.org}, or {@code *} for all; at least one when enabled
 */
@ConfigurationProperties("mirante.gateway.cors")
public record CorsSettings(
        @DefaultValue("false") boolean enabled, @DefaultValue List<String> allowedOrigins) {

    public CorsSettings {
        allowedOrigins =
                allowedOrigins.stream()
                        .map(String::strip)
                        .filter(origin -> !origin.isEmpty())
                        .toList();
        if (enabled && allowedOrigins.isEmpty()) {
            throw new IllegalArgumentException(
                    "ENABLE_CORS is true, but CORS_ALLOWED_ORIGINS is empty: name the origins that may"
                            + " call, comma-separated, or * for all");
        }
        for (var origin : allowedOrigins) {
            if (!origin.equals("*") && !origin.matches("https?://[^/\\s]+")) {
                throw new IllegalArgumentException(
                        "CORS_ALLOWED_ORIGINS holds %s; an origin looks like https://app.example.org, without a path"
                                .formatted(origin));
            }
        }
    }
}
