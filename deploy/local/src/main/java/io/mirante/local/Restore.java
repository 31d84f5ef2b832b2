package io.mirante.local;

import io.mirante.contracts.Topics;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.postgresql.PGConnection;

/**
 * Puts a backup in the place of what the database holds, in one transaction: it is all there or nothing has changed. The
 * mesh must be down. Services then read Kafka on from the positions of the backup, and so catch up with what was
 * acknowledged since.
 */
final class Restore {
    private static final Set<String> POSITIONS =
            Set.of("consumer_position", "source_position", "dead_letter", "person_relearned");
    private static final String PUBLISHED = "published_revision";

    /** Published for those who listen then, not for those who come later. */
    private static final Set<String> TOLD_ONCE = Set.of("audit_entry", "alert");

    private final Home home;
    private final MeshSettings settings;
    private final Progress progress;

    Restore(Home home, MeshSettings settings, Progress progress) {
        this.home = home;
        this.settings = settings;
        this.progress = progress;
    }

    void read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new MeshException(file.toAbsolutePath() + " is no file");
        }
        home.prepare();
        try (var lock = HomeLock.take(home);
                var zip = new ZipFile(file.toFile())) {
            BackupManifest manifest = manifest(zip);
            var processes = new ServiceProcesses(home, settings);
            var infrastructure = new Infrastructure(home);
            Secrets secrets = Secrets.of(home);
            boolean running =
                    ServiceName.all().stream()
                                    .anyMatch(service -> processes.find(service).isPresent())
                            || KafkaServer.find(infrastructure.kafka()).isPresent()
                            || PostgresServer.find(infrastructure.postgres(secrets)).isPresent();
            if (running) {
                throw new MeshException("the mesh runs: ./mesh down first, then restore");
            }
            progress.text("Restoring what was saved at " + manifest.takenAt());
            try (PostgresServer server = PostgresServer.start(infrastructure.postgres(secrets))) {
                migrate(server, secrets);
                boolean anew = !infrastructure.kafka().holds(Topics.EVENTS_RAW.name());
                long rows = restore(zip, manifest, server, anew);
                progress.line(
                        Ports.POSTGRES, rows + " rows in " + manifest.tables().size() + " tables");
            }
            restoreFiles(zip);
            restoreMasterKey(zip);
            progress.text("Restored. ./mesh up starts the mesh.");
        } catch (IOException | SQLException e) {
            throw new MeshException("cannot restore " + file + ": " + e.getMessage(), e);
        }
    }

    private static BackupManifest manifest(ZipFile zip) throws IOException {
        ZipEntry entry = zip.getEntry(BackupManifest.ENTRY);
        if (entry == null) {
            throw new IOException("it is no backup of a mesh");
        }
        try (InputStream in = zip.getInputStream(entry)) {
            BackupManifest manifest = BackupManifest.read(in);
            if (manifest.format() != BackupManifest.FORMAT) {
                throw new IOException(
                        "it has format "
                                + manifest.format()
                                + " of Mirante "
                                + manifest.version()
                                + ", this version reads format "
                                + BackupManifest.FORMAT);
            }
            return manifest;
        }
    }

    private void migrate(PostgresServer server, Secrets secrets) {
        var applications = new Applications(settings.checkout(), home);
        var migrations = new Migrations(home, secrets);
        String databaseId = Migrations.databaseId(server);
        for (ServiceName service : ServiceName.all()) {
            migrations.migrate(service, applications.extracted(service), server, databaseId);
        }
    }

    /**
     * Puts the rows in place.
     *
     * @param anew Kafka holds nothing, and will begin at its beginning
     */
    private static long restore(
            ZipFile zip, BackupManifest manifest, PostgresServer server, boolean anew)
            throws SQLException, IOException {
        try (Connection connection = server.connect()) {
            Map<String, List<String>> present = BackupManifest.migrations(connection);
            if (!present.equals(manifest.migrations())) {
                throw new MeshException(
                        "the backup was made by Mirante "
                                + manifest.version()
                                + " with other tables than this version ("
                                + Home.version()
                                + "): restore it with that version, then start this one on its folder");
            }
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                // The owner is a superuser: constraints between tables and triggers held when the
                // rows were saved.
                statement.execute("SET LOCAL session_replication_role = replica");
                statement.execute("SET LOCAL row_security = off");
                List<BackupManifest.Table> existing = BackupManifest.tables(connection);
                if (!existing.isEmpty()) {
                    statement.execute(
                            "TRUNCATE "
                                    + String.join(
                                            ", ",
                                            existing.stream()
                                                    .map(BackupManifest.Table::quoted)
                                                    .toList()));
                }
            }
            long rows = 0;
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            for (BackupManifest.Table table : manifest.tables()) {
                ZipEntry entry = zip.getEntry(table.entry());
                if (entry == null) {
                    throw new IOException(table.entry() + " is missing in it");
                }
                try (InputStream in = zip.getInputStream(entry)) {
                    rows +=
                            copy.copyIn(
                                    "COPY "
                                            + table.quoted()
                                            + " ("
                                            + table.quotedColumns()
                                            + ") FROM STDIN",
                                    in);
                }
            }
            restoreSequences(connection, manifest);
            if (anew) {
                beginAnew(connection, existing(connection, manifest));
            }
            connection.commit();
            return rows;
        }
    }

    private static List<BackupManifest.Table> existing(
            Connection connection, BackupManifest manifest) throws SQLException {
        return BackupManifest.tables(connection).stream()
                .filter(manifest.tables()::contains)
                .toList();
    }

    /**
     * Takes back what only a Kafka that is not there any more could be read on with: positions in its topics, and which state it
     * had been told. What consumers applied stays; state is published again, and whoever has that revision already ignores it.
     */
    private static void beginAnew(Connection connection, List<BackupManifest.Table> tables)
            throws SQLException {
        try (var statement = connection.createStatement()) {
            for (BackupManifest.Table table : tables) {
                if (POSITIONS.contains(table.name())) {
                    statement.execute("DELETE FROM " + table.quoted());
                } else if (table.columns().contains(PUBLISHED)
                        && !TOLD_ONCE.contains(table.name())) {
                    statement.execute("UPDATE %s SET %s = 0".formatted(table.quoted(), PUBLISHED));
                }
            }
        }
    }

    private static void restoreSequences(Connection connection, BackupManifest manifest)
            throws SQLException {
        try (var statement = connection.createStatement();
                var unused =
                        statement.executeQuery(
                                """
                                SELECT setval((quote_ident(schemaname) || '.' || quote_ident(sequencename))::regclass,
                                              start_value, false)
                                FROM pg_sequences WHERE last_value IS NOT NULL
                                """)) {
            // The function's effect is wanted.
        }
        try (var statement = connection.prepareStatement("SELECT setval(?::regclass, ?)")) {
            for (var sequence : manifest.sequences().entrySet()) {
                statement.setString(1, sequence.getKey());
                statement.setLong(2, sequence.getValue());
                statement.executeQuery().close();
            }
        }
    }

    private void restoreMasterKey(ZipFile zip) throws IOException {
        ZipEntry entry = zip.getEntry(BackupManifest.MASTER_KEY);
        if (entry == null) {
            return;
        }
        try (InputStream in = zip.getInputStream(entry)) {
            Secrets.write(
                    Secrets.masterKey(home), new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private void restoreFiles(ZipFile zip) throws IOException {
        Path files = home.folder().resolve("files");
        Home.deleteTree(files);
        for (ZipEntry entry : zip.stream().filter(e -> e.getName().startsWith("files/")).toList()) {
            Path target = home.folder().resolve(entry.getName()).normalize();
            if (!target.startsWith(files)) {
                throw new IOException("it holds a file outside of its folder: " + entry.getName());
            }
            Files.createDirectories(target.resolveSibling(""));
            try (InputStream in = zip.getInputStream(entry)) {
                Files.copy(in, target);
            }
        }
    }
}
