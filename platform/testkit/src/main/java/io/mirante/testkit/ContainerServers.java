package io.mirante.testkit;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Collectors;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.kafka.KafkaContainer;
import org.testcontainers.lifecycle.Startables;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * Containers of the published images, through Testcontainers, with the settings of the embedded servers. The images and
 * their tags are in {@code images.properties}; registry, image names and what removes containers that were left behind
 * are Testcontainers' own settings.
 */
record ContainerServers(KafkaContainer kafka, PostgreSQLContainer postgres, String password)
        implements Servers {

    private static final long SHARED_MEMORY_BYTES = 256L << 20;

    /**
     * Blocks until both answer.
     *
     * @throws IllegalStateException when no Docker engine answers
     */
    static ContainerServers start(
            KafkaServer.Settings kafkaSettings, PostgresServer.Settings postgresSettings) {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            throw new IllegalStateException(
                    PROPERTY
                            + "=containers needs a Docker engine and none answers: start one or set DOCKER_HOST,"
                            + " or leave the property out for the embedded servers");
        }
        var kafka =
                new KafkaContainer(image("kafka"))
                        .withEnv(environment(kafkaSettings.configuration()))
                        .withEnv("KAFKA_HEAP_OPTS", "-Xmx" + kafkaSettings.heapMib() + "m");
        var postgres =
                new PostgreSQLContainer(image("postgres"))
                        .withDatabaseName(PostgresServer.DATABASE)
                        .withUsername(PostgresServer.USER)
                        .withPassword(postgresSettings.password())
                        .withEnv("POSTGRES_INITDB_ARGS", String.join(" ", PostgresServer.LOCALE))
                        .withSharedMemorySize(SHARED_MEMORY_BYTES)
                        .withCommand(command(postgresSettings.configuration()));
        Startables.deepStart(kafka, postgres).join();
        return new ContainerServers(kafka, postgres, postgresSettings.password());
    }

    @Override
    public String bootstrapServers() {
        return kafka.getBootstrapServers();
    }

    @Override
    public String url() {
        return "postgresql://" + address();
    }

    @Override
    public String ownerUrl() {
        return "postgresql://" + PostgresServer.USER + ":" + password + "@" + address();
    }

    @Override
    public void stop() {
        kafka.stop();
        postgres.stop();
    }

    /** Without the password. */
    @Override
    public String toString() {
        return "ContainerServers[" + bootstrapServers() + ", " + url() + "]";
    }

    /** The image of a server, with its tag. */
    static DockerImageName image(String server) {
        var images = new Properties();
        try (var in =
                Objects.requireNonNull(
                        ContainerServers.class.getResourceAsStream("images.properties"))) {
            images.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return DockerImageName.parse(Objects.requireNonNull(images.getProperty(server)));
    }

    private String address() {
        return postgres.getHost()
                + ":"
                + postgres.getMappedPort(PostgreSQLContainer.POSTGRESQL_PORT)
                + "/"
                + PostgresServer.DATABASE;
    }

    /** Kafka's image reads a setting {@code a.b} from {@code KAFKA_A_B}. */
    private static Map<String, String> environment(Map<String, String> configuration) {
        return configuration.entrySet().stream()
                .collect(
                        Collectors.toMap(
                                setting ->
                                        "KAFKA_"
                                                + setting.getKey()
                                                        .toUpperCase(Locale.ROOT)
                                                        .replace('.', '_'),
                                Map.Entry::getValue));
    }

    private static String[] command(Map<String, String> configuration) {
        var command = new ArrayList<>(List.of("postgres"));
        configuration.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
        return command.toArray(String[]::new);
    }
}
