package io.mirante.local;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import io.mirante.local.Applications.Application;
import io.mirante.setup.TopicSetup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Kafka, PostgreSQL and schemas for training only: a service that is started on them until it is ready joins no consumer
 * group of the mesh, and reads and writes nothing of it. Both end with this JVM, however it ends. Not thread-safe.
 */
final class TrainingMesh implements AutoCloseable {
    private final Home home;
    private final Ports ports;
    private final Secrets secrets;
    private final ServiceProcesses processes;
    private final Migrations migrations;
    private final KafkaServer kafka;
    private final PostgresServer postgres;

    private TrainingMesh(
            Home home,
            Ports ports,
            Secrets secrets,
            MeshSettings settings,
            KafkaServer kafka,
            PostgresServer postgres) {
        this.home = home;
        this.ports = ports;
        this.secrets = secrets;
        this.processes = new ServiceProcesses(home, settings);
        this.migrations = new Migrations(home, secrets);
        this.kafka = kafka;
        this.postgres = postgres;
    }

    /** Starts both in a folder that does not exist yet, and that {@link #close} removes. */
    static TrainingMesh start(Path folder, MeshSettings settings) {
        var home = new Home(folder);
        home.prepare();
        Ports ports = Ports.free();
        Secrets secrets = Secrets.of(home);
        var infrastructure = new Infrastructure(home);
        KafkaServer kafka =
                KafkaServer.start(
                        infrastructure.kafka().withPort(ports.of(Ports.KAFKA)).forTests());
        PostgresServer postgres =
                PostgresServer.start(
                        infrastructure
                                .postgres(secrets)
                                .withPort(ports.of(Ports.POSTGRES))
                                .forTests());
        List<String> unused = TopicSetup.createMissing(kafka.bootstrapServers());
        return new TrainingMesh(home, ports, secrets, settings, kafka, postgres);
    }

    /** Makes the service's schema and says what the service is to be told. */
    Map<String, String> environment(ServiceName service, Application application)
            throws IOException {
        migrations.migrate(service, application, postgres, Migrations.databaseId(postgres));
        Files.createDirectories(home.files(service));
        return processes.environment(service, ports, secrets);
    }

    /** Whether the service, started with its {@link #environment}, takes work. */
    boolean isReady(ServiceName service) {
        return processes.readiness(service, ports).ready();
    }

    @Override
    public void close() {
        kafka.kill();
        postgres.stop();
        try {
            Home.deleteTree(home.folder());
        } catch (IOException e) {
            throw new MeshException("cannot remove " + home.folder() + ": " + e.getMessage(), e);
        }
    }
}
