package io.mirante.local;

import io.mirante.contracts.Topics;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import io.mirante.local.Applications.Application;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.postgresql.PGConnection;

/**
 * Puts a backup in the place of what the database holds, in one transaction: it is all there or nothing has changed. The
 * mesh must be down. Services then read Kafka on from the positions of the backup, and so catch up with what was
 * acknowledged since.
 *
 * <p>Rows go into the tables they came from: schemas are migrated as far as those of the backup were, and the next start
 * migrates on. So a backup of an earlier version can be restored, unless the folder's tables are newer than it already.
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
            Map<ServiceName, Application> applications = applications();
            boolean older = isOlder(manifest, applications);
            try (PostgresServer server = PostgresServer.start(infrastructure.postgres(secrets))) {
                checkNotNewer(server, manifest);
                progress.text("Restoring what was saved at " + manifest.takenAt());
                migrate(server, secrets, manifest, applications);
                boolean anew = !infrastructure.kafka().holds(Topics.EVENTS_RAW.name());
                long rows = restore(zip, manifest, server, anew);
                progress.line(
                        Ports.POSTGRES, rows + " rows in " + manifest.tables().size() + " tables");
            }
            restoreFiles(zip);
            restoreMasterKey(zip);
            progress.text(
                    older
                            ? "Restored, with tables as Mirante "
                                    + manifest.version()
                                    + " had them. ./mesh up migrates them and starts the mesh."
                            : "Restored. ./mesh up starts the mesh.");
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

    private Map<ServiceName, Application> applications() {
        var found = new EnumMap<ServiceName, Application>(ServiceName.class);
        var applications = new Applications(settings.checkout(), home);
        for (ServiceName service : ServiceName.all()) {
            found.put(service, applications.extracted(service));
        }
        return found;
    }

    /** Whether this version has migrations that the backup had not; refuses a backup that had some this version has not. */
    private static boolean isOlder(
            BackupManifest manifest, Map<ServiceName, Application> applications)
            throws IOException {
        var unknown = new TreeMap<String, Set<String>>();
        for (String schema : manifest.migrations().keySet()) {
            unknown.put(schema, manifest.versions(schema));
        }
        boolean older = false;
        for (var service : applications.entrySet()) {
            Set<String> here = Migrations.versions(service.getValue());
            Set<String> there = unknown.getOrDefault(service.getKey().id(), new TreeSet<>());
            older |= !there.containsAll(here);
            there.removeAll(here);
        }
        unknown.values().removeIf(Set::isEmpty);
        if (!unknown.isEmpty()) {
            throw new MeshException(
                    "the backup is newer than this version ("
                            + Home.version()
                            + "), which does not know its migrations "
                            + text(unknown)
                            + ": restore it with Mirante "
                            + manifest.version()
                            + ", which made it, or a later one");
        }
        return older;
    }

    /** Refuses, before anything has changed, what could only be had by taking migrations back. */
    private void checkNotNewer(PostgresServer server, BackupManifest manifest) throws SQLException {
        Map<String, List<String>> present;
        try (Connection connection = server.connect()) {
            present = BackupManifest.migrations(connection);
        }
        var newer = new TreeMap<String, Set<String>>();
        for (String schema : present.keySet()) {
            Set<String> versions = BackupManifest.versions(present, schema);
            versions.removeAll(manifest.versions(schema));
            if (!versions.isEmpty()) {
                newer.put(schema, versions);
            }
        }
        if (!newer.isEmpty()) {
            throw new MeshException(
                    "the tables in "
                            + home.folder()
                            + " are newer than the backup, which was made by Mirante "
                            + manifest.version()
                            + " without the migrations "
                            + text(newer)
                            + ": move the folder away, or set MIRANTE_HOME to a new one, and restore into that");
        }
    }

    private static String text(Map<String, Set<String>> versions) {
        return versions.entrySet().stream()
                .map(schema -> schema.getKey() + " " + String.join(" and ", schema.getValue()))
                .collect(Collectors.joining(", "));
    }

    private void migrate(
            PostgresServer server,
            Secrets secrets,
            BackupManifest manifest,
            Map<ServiceName, Application> applications) {
        var migrations = new Migrations(home, secrets);
        applications.forEach((service, application) -> {
            Set<String> versions = manifest.versions(service.id());
            if (!versions.isEmpty()) {
                migrations.migrateOnly(service, application, server, versions);
            }
        });
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
                                + " with other migrations under the same numbers than this version ("
                                + Home.version()
                                + "): restore it with that version");
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
