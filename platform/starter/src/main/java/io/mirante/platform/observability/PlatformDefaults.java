package io.mirante.platform.observability;

import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.io.ClassPathResource;

/** Gives every service the settings of {@code mirante-platform.yml} as its lowest defaults; anything overrides them. */
public final class PlatformDefaults implements EnvironmentPostProcessor {

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
        environment
                .getPropertySources()
                .addLast(
                        new MapPropertySource(
                                "mirante-instance",
                                Map.of("mirante.random-instance", UUID.randomUUID().toString())));
    }
}
