package io.mirante.testkit;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.nio.file.Path;

/** One Kafka broker and one PostgreSQL server, answering, for the tests of one JVM. Thread-safe. */
interface Servers {

    /** The system property that chooses among them: {@code embedded} or {@code containers}. */
    String PROPERTY = "mirante.test.infra";

    /** Kafka's address, {@code host:port}. */
    String bootstrapServers();

    /** {@code postgresql://host:port/database}, without credentials. */
    String url();

    /** {@code postgresql://user:password@host:port/database}, the superuser's: a secret. */
    String ownerUrl();

    /** Ends them at once; what they held is lost. */
    void stop();

    /**
     * Starts both, configured alike whatever the choice is.
     *
     * @param choice a value of {@link #PROPERTY}
     * @param folder for the data of processes
     * @throws IllegalArgumentException when there is no such choice
     */
    static Servers start(String choice, Path folder) {
        var kafka = KafkaServer.Settings.in(folder.resolve("kafka")).forTests();
        var postgres =
                PostgresServer.Settings.in(folder.resolve("postgres"), PostgresServer.newPassword())
                        .forTests();
        return switch (choice) {
            case "embedded" -> EmbeddedServers.start(kafka, postgres);
            case "containers" -> ContainerServers.start(kafka, postgres);
            default ->
                    throw new IllegalArgumentException(
                            "the system property "
                                    + PROPERTY
                                    + " must be embedded (the default) or containers, was \""
                                    + choice
                                    + "\"");
        };
    }
}
