package io.mirante.testkit;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;

/** Connects a test's context to the JVM's Kafka and PostgreSQL, migrated for the service. */
final class MeshInitializer
        implements ApplicationContextInitializer<ConfigurableApplicationContext> {

    @Override
    public void initialize(ConfigurableApplicationContext context) {
        var service = context.getEnvironment().getRequiredProperty("mirante.database.schema");
        var infrastructure = Infrastructure.get();
        infrastructure.migrate(service);
        // A bound for what never comes, not a promise: the machine may be busy.
        Awaitility.setDefaultTimeout(Duration.ofMinutes(2));
        Map<String, Object> settings = new TreeMap<>(infrastructure.settings(service));
        // What a test sets itself stays above.
        context.getEnvironment()
                .getPropertySources()
                .addAfter(first(context), new MapPropertySource("mesh-test", settings));
        context.getBeanFactory()
                .registerSingleton("mesh", new Mesh(infrastructure, service, context));
    }

    private static String first(ConfigurableApplicationContext context) {
        return context.getEnvironment().getPropertySources().iterator().next().getName();
    }
}
