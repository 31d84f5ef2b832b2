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

    /**
     * Reactor Netty up to 1.3.7 may stop reading from a kept-alive connection when a request comes before the last one has
     * quite ended, so that it waits until its client gives up (seen: one call in a thousand between gateway and service, for
     * 10 s; reactor/reactor-netty issue 4361, whose discussion has this way round it). To be removed with 1.3.8.
     */
    private static final String END_BEFORE_NEXT = "reactor.netty.http.server.lastFlushWhenNoRead";

    @Override
    public void postProcessEnvironment(
            ConfigurableEnvironment environment, SpringApplication application) {
        if (System.getProperty(END_BEFORE_NEXT) == null) {
            System.setProperty(END_BEFORE_NEXT, "true");
        }
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
