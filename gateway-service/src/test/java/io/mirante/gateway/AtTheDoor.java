package io.mirante.gateway;

import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.core.env.Environment;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.web.reactive.server.WebTestClient;

/** The gateway with stubs for all services behind it; one context for all tests that extend this. */
@MeshTest
public abstract class AtTheDoor {

    protected static final String KEY = "a-key-of-the-first-tenant";
    protected static final String OTHER_KEY = "another-key";
    protected static final String ORIGIN = "https://app.example.org";
    protected static final int CALLS = 8;
    protected static final int PER_MINUTE = 30;
    protected static final Map<String, StubService> SERVICES =
            Stream.of(
                            "ingestion",
                            "etl",
                            "segmentation",
                            "churn",
                            "industry40",
                            "snapshot",
                            "alert")
                    .collect(Collectors.toMap(name -> name, StubService::new));

    @Autowired protected Mesh mesh;
    @Autowired protected Environment environment;

    /** Another context of this JVM, with other settings, may have removed them. */
    @BeforeEach
    void bringBackTheKeysOfTheSettings(
            @Autowired @Qualifier("bootstrap") InitializingBean bootstrap) throws Exception {
        bootstrap.afterPropertiesSet();
    }

    @DynamicPropertySource
    static void settings(DynamicPropertyRegistry registry) {
        SERVICES.forEach((name, stub) -> {
            registry.add("mirante.gateway.services." + name + ".url", stub::url);
            registry.add("mirante.gateway.services." + name + ".management-url", stub::url);
        });
        registry.add("mirante.gateway.api-keys", () -> KEY + "," + OTHER_KEY);
        registry.add("mirante.gateway.timeout", () -> "1s");
        registry.add("mirante.gateway.guard.calls", () -> CALLS);
        // Long enough for a test to see that an open breaker does not ask.
        registry.add("mirante.gateway.guard.open-for", () -> "3s");
        registry.add("mirante.gateway.guard.header-timeout", () -> "1s");
        registry.add("mirante.gateway.cors.enabled", () -> true);
        registry.add("mirante.gateway.cors.allowed-origins", () -> ORIGIN);
        registry.add("mirante.gateway.limits.requests-per-minute", () -> PER_MINUTE);
        registry.add("mirante.gateway.keys.bootstrap-rate-limit", () -> 0);
    }

    protected final int port() {
        return Integer.parseInt(environment.getRequiredProperty("local.server.port"));
    }

    protected final WebTestClient client(String key) {
        return mesh.anonymous().mutate().defaultHeader("x-api-key", key).build();
    }

    /** Adds a key to the database, and its tenant when that is new. */
    protected final void addKey(String tenant, String key, String... scopes) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute("SELECT set_config('mirante.tenant', '" + tenant + "', false)");
            statement.execute(
                    "INSERT INTO tenant (tenant_id, name) VALUES ('%s', 'x') ON CONFLICT DO NOTHING"
                            .formatted(tenant));
            statement.execute(
                    "INSERT INTO api_key (tenant_id, key_id, key_hash, name, scopes) VALUES ('%s', 'key_%s', '%s', 'k', '{%s}')"
                            .formatted(
                                    tenant,
                                    sha256(key).substring(0, 12),
                                    sha256(key),
                                    String.join(",", scopes)));
        }
    }

    protected final void removeKey(String tenant, String key) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute("SELECT set_config('mirante.tenant', '" + tenant + "', false)");
            statement.execute("DELETE FROM api_key WHERE key_hash = '" + sha256(key) + "'");
        }
    }

    protected static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256")
                                    .digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
