package io.mirante.platform.observability;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.io.ClassPathResource;

/**
 * Gives every service the settings of {@code mirante-platform.yml} as its lowest defaults; anything overrides them. Tracing is
 * not even configured unless {@code TRACING_ENABLED} is true, so that it costs nothing.
 */
public final class PlatformDefaults implements EnvironmentPostProcessor {

    private static final String TRACING = "org.springframework.boot.micrometer.tracing.";
    private static final String TELEMETRY = "org.springframework.boot.opentelemetry.autoconfigure.";
    private static final List<String> TRACING_CONFIGURATIONS =
            List.of(
                    TRACING + "autoconfigure.MicrometerTracingAutoConfiguration",
                    TRACING + "autoconfigure.NoopTracerAutoConfiguration",
                    TRACING + "opentelemetry.autoconfigure.OpenTelemetryTracingAutoConfiguration",
                    TRACING + "opentelemetry.autoconfigure.otlp.OtlpTracingAutoConfiguration",
                    TELEMETRY + "OpenTelemetrySdkAutoConfiguration");
    private static final List<String> TELEMETRY_LOGGING =
            List.of(
                    TELEMETRY + "logging.OpenTelemetryLoggingAutoConfiguration",
                    TELEMETRY + "logging.otlp.OtlpLoggingAutoConfiguration");

    @Override
    public void postProcessEnvironment(
            ConfigurableEnvironment environment, SpringApplication application) {
        try {
            new YamlPropertySourceLoader()
                    .load("mirante-platform", new ClassPathResource("mirante-platform.yml"))
                    .forEach(environment.getPropertySources()::addLast);
        } catch (IOException e) {
            throw new IllegalStateException("mirante-platform.yml cannot be read", e);
        }
        boolean tracing = environment.getProperty("TRACING_ENABLED", Boolean.class, false);
        var excluded = new ArrayList<>(TELEMETRY_LOGGING);
        if (!tracing) {
            excluded.addAll(TRACING_CONFIGURATIONS);
        }
        environment
                .getPropertySources()
                .addLast(
                        new MapPropertySource(
                                "mirante-tracing",
                                Map.of(
                                        "management.tracing.export.enabled",
                                        Boolean.toString(tracing),
                                        "spring.autoconfigure.exclude",
                                        String.join(",", excluded))));
        environment
                .getPropertySources()
                .addLast(
                        new MapPropertySource(
                                "mirante-instance",
                                Map.of("mirante.random-instance", UUID.randomUUID().toString())));
    }
}
