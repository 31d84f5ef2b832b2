package io.mirante.local;

import io.mirante.embedded.PostgresServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.postgresql.PGConnection;

/**
 * Writes every service's tables, as one transaction sees them, the services' files and the key of the rejected originals
 * among those rows to a zip file. The mesh may run.
 *
 * <p>Consumers keep their positions in the tables they change, so the positions in the backup fit its rows: a restored
 * mesh reads Kafka on from there.
 */
final class Backup {
    private final Home home;
    private final Progress progress;

    Backup(Home home, Progress progress) {
        this.home = home;
        this.progress = progress;
    }

    /** Writes {@code file}, which must not exist yet; a file that is there was written completely. */
    void write(Path file) {
        if (!home.exists()) {
            throw new MeshException("there is no mesh in " + home.folder() + " to back up");
        }
        home.checkVersion();
        Path target = file.toAbsolutePath();
        if (Files.exists(target)) {
            throw new MeshException(target + " exists already");
        }
        Secrets secrets = Secrets.of(home);
        PostgresServer.Settings postgres = new Infrastructure(home).postgres(secrets);
        if (PostgresServer.find(postgres).isPresent()) {
            write(target, PostgresServer.start(postgres));
            return;
        }
        try (var lock = HomeLock.take(home)) {
            Integer port = Ports.read(home).byPart().get(Ports.POSTGRES);
            try (PostgresServer server =
                    PostgresServer.start(port == null ? postgres : postgres.withPort(port))) {
                write(target, server);
            }
        }
    }

    private void write(Path target, PostgresServer server) {
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        try {
            Files.deleteIfExists(fresh);
            Files.createFile(
                    fresh,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            long rows;
            try (Connection connection = server.connect();
                    var zip = new ZipOutputStream(Files.newOutputStream(fresh))) {
                connection.setAutoCommit(false);
                connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                connection.setReadOnly(true);
                rows = write(zip, connection);
                connection.rollback();
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
            progress.line(
                    "backup", rows + " rows, " + Files.size(target) / 1024 + " KiB: " + target);
        } catch (IOException | SQLException e) {
            throw new MeshException("the backup failed: " + e.getMessage(), e);
        } finally {
            deleteQuietly(fresh);
        }
    }

    private long write(ZipOutputStream zip, Connection connection)
            throws IOException, SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("SET row_security = off");
        }
        Instant takenAt = Instant.now();
        List<BackupManifest.Table> tables = BackupManifest.tables(connection);
        var manifest =
                new BackupManifest(
                        BackupManifest.FORMAT,
                        Home.version(),
                        takenAt,
                        BackupManifest.migrations(connection),
                        tables,
                        sequences(connection));
        zip.putNextEntry(new ZipEntry(BackupManifest.ENTRY));
        zip.write(manifest.toJson());
        zip.closeEntry();
        long rows = 0;
        var copy = connection.unwrap(PGConnection.class).getCopyAPI();
        for (BackupManifest.Table table : tables) {
            zip.putNextEntry(new ZipEntry(table.entry()));
            rows +=
                    copy.copyOut(
                            "COPY (SELECT "
                                    + table.quotedColumns()
                                    + " FROM "
                                    + table.quoted()
                                    + ") TO STDOUT",
                            new Open(zip));
            zip.closeEntry();
        }
        writeFiles(zip);
        zip.putNextEntry(new ZipEntry(BackupManifest.MASTER_KEY));
        Files.copy(Secrets.masterKey(home), zip);
        zip.closeEntry();
        return rows;
    }

    private void writeFiles(ZipOutputStream zip) throws IOException {
        Path files = home.folder().resolve("files");
        if (!Files.isDirectory(files)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(files)) {
            for (Path path : tree.filter(Files::isRegularFile).toList()) {
                var entry =
                        new ZipEntry(
                                "files/" + files.relativize(path).toString().replace('\\', '/'));
                try (var file = Files.newInputStream(path)) {
                    zip.putNextEntry(entry);
                    file.transferTo(zip);
                    zip.closeEntry();
                } catch (NoSuchFileException e) {
                    // Its service has removed it meanwhile, and does without.
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static Map<String, Long> sequences(Connection connection) throws SQLException {
        var sequences = new TreeMap<String, Long>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value"
                                        + " FROM pg_sequences WHERE last_value IS NOT NULL")) {
            while (rows.next()) {
                sequences.put(rows.getString(1), rows.getLong(2));
            }
        }
        return sequences;
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new MeshException("cannot remove " + file + ": " + e.getMessage(), e);
        }
    }

    /** A zip file's current entry, which stays open when the writer closes its stream. */
    private static final class Open extends OutputStream {
        private final OutputStream out;

        Open(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int value) throws IOException {
            out.write(value);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
        }

        @Override
        public void flush() throws IOException {
            out.flush();
        }
    }
}
