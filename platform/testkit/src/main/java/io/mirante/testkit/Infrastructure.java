package io.mirante.testkit;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import io.mirante.setup.DatabaseUrl;
import io.mirante.setup.Migrator;
import io.mirante.setup.TopicSetup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Kafka and PostgreSQL of this JVM: started when first asked for, stopped with it. They are child processes with their
 * data under {@code target/testkit}, or containers when the system property {@code mirante.test.infra} is {@code
 * containers}. Thread-safe.
 */
public final class Infrastructure {

    private static final String APP_PASSWORD = "app-secret";
    private static final String STREAM_PASSWORD = "stream-secret";

    private static final class Holder {
        private static final Infrastructure ONE = new Infrastructure();
    }

    private final Path folder;
    private final Servers servers;
    private final RSAKey gatewayKey;
    private final RSAKey serviceKey;
    private final Set<String> migrated = ConcurrentHashMap.newKeySet();

    private Infrastructure() {
        try {
            var target = Files.createDirectories(Path.of("target", "testkit"));
            folder = Files.createTempDirectory(target.toAbsolutePath(), "run-");
            servers = Servers.start(System.getProperty(Servers.PROPERTY, "embedded"), folder);
            TopicSetup.createMissing(servers.bootstrapServers());
            gatewayKey = new RSAKeyGenerator(2048).keyID("gateway-test").generate();
            serviceKey = new RSAKeyGenerator(2048).keyID("service-test").generate();
            Files.writeString(
                    jwksFile(),
                    new JWKSet(List.of(gatewayKey.toPublicJWK(), serviceKey.toPublicJWK()))
                            .toString());
            Files.writeString(signingKeyFile(true), gatewayKey.toJSONString());
            Files.writeString(signingKeyFile(false), serviceKey.toJSONString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(servers::stop));
    }

    /** The one of this JVM. */
    public static Infrastructure get() {
        return Holder.ONE;
    }

    /** Kafka's address, {@code host:port}. */
    public String bootstrapServers() {
        return servers.bootstrapServers();
    }

    /** The database as its owner reaches it. */
    public String ownerUrl() {
        return servers.ownerUrl();
    }

    /** A new connection of the database's owner; the caller closes it. */
    Connection connect() throws SQLException {
        var owner = DatabaseUrl.parse(servers.ownerUrl());
        return DriverManager.getConnection(owner.jdbc(), owner.user(), owner.password());
    }

    /** A folder for this run's files. */
    public Path folder() {
        return folder;
    }

    Path jwksFile() {
        return folder.resolve("jwks.json");
    }

    Path signingKeyFile(boolean gateway) {
        return folder.resolve(gateway ? "gateway.jwk" : "service.jwk");
    }

    RSAKey gatewayKey() {
        return gatewayKey;
    }

    /** Migrates a service's schema, once. */
    public void migrate(String service) {
        if (migrated.add(service)) {
            Migrator.migrate(
                    servers.ownerUrl(),
                    service,
                    APP_PASSWORD,
                    STREAM_PASSWORD,
                    Thread.currentThread().getContextClassLoader());
        }
    }

    /** The settings that connect a service to this infrastructure. */
    public Map<String, String> settings(String service) {
        return Map.of(
                "mirante.database.url", servers.url(),
                "mirante.database.app-password", APP_PASSWORD,
                "mirante.database.stream-password", STREAM_PASSWORD,
                "mirante.messaging.bootstrap-servers", servers.bootstrapServers(),
                "mirante.security.jwks-file", jwksFile().toString(),
                "mirante.security.signing-key-file",
                        signingKeyFile(service.equals("gateway")).toString(),
                "mirante.files", folder.resolve("files").toString(),
                "management.server.port", "0");
    }
}
