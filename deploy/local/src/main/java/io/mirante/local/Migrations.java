package io.mirante.local;

import io.mirante.embedded.PostgresServer;
import io.mirante.local.Applications.Application;
import io.mirante.setup.Migrator;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Brings the services' schemas up to date with the migrations in their jars. A schema whose migrations are the ones that
 * ran last, on the same database, is left alone. Thread-safe: each service by one caller at a time.
 */
final class Migrations {
    private final Home home;
    private final Secrets secrets;

    Migrations(Home home, Secrets secrets) {
        this.home = home;
        this.secrets = secrets;
    }

    /** Identifies the database cluster: another one was initialised anew or restored from files. */
    static String databaseId(PostgresServer postgres) {
        try (var connection = postgres.connect();
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT system_identifier FROM pg_control_system()")) {
            rows.next();
            return rows.getString(1);
        } catch (SQLException e) {
            throw new MeshException("PostgreSQL does not answer: " + e.getMessage(), e);
        }
    }

    /** Migrates when needed; says whether it did. */
    boolean migrate(
            ServiceName service,
            Application application,
            PostgresServer postgres,
            String databaseId) {
        try {
            String wanted = databaseId + " " + fingerprint(application);
            Path file = home.run().resolve(service.id() + ".migrated.properties");
            Properties done = Home.load(file);
            if (wanted.equals(done.getProperty("done"))) {
                return false;
            }
            try (var loader =
                    new URLClassLoader(
                            new URL[] {application.jar().toUri().toURL()},
                            Migrations.class.getClassLoader())) {
                Migrator.migrate(
                        postgres.ownerUrl(),
                        service.id(),
                        secrets.appPassword(service),
                        secrets.streamPassword(service),
                        loader);
            }
            done.setProperty("done", wanted);
            Home.store(done, file);
            return true;
        } catch (IOException | RuntimeException e) {
            throw new MeshException(
                    "cannot migrate the schema of " + service.module() + ": " + e.getMessage(), e);
        }
    }

    /** Changes with any migration of the service or of the set-up step. */
    private static String fingerprint(Application application) throws IOException {
        var found = new TreeMap<String, Long>();
        addEntries(application.jar(), "db/migration/", found);
        try {
            Path setup =
                    Path.of(
                            Migrator.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
            if (Files.isDirectory(setup)) {
                addFiles(setup, found);
            } else {
                addEntries(setup, "db/platform/", found);
            }
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
        return Integer.toHexString(found.hashCode());
    }

    private static void addEntries(Path jar, String folder, TreeMap<String, Long> found)
            throws IOException {
        try (var zip = new ZipFile(jar.toFile())) {
            zip.stream()
                    .filter(entry -> entry.getName().startsWith(folder) && !entry.isDirectory())
                    .forEach((ZipEntry entry) -> found.put(entry.getName(), entry.getCrc()));
        }
    }

    private static void addFiles(Path classes, TreeMap<String, Long> found) throws IOException {
        Path db = classes.resolve("db/platform");
        if (!Files.isDirectory(db)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(db)) {
            for (Path file : tree.filter(Files::isRegularFile).toList()) {
                var crc = new CRC32();
                try (InputStream in = Files.newInputStream(file)) {
                    crc.update(in.readAllBytes());
                }
                found.put(classes.relativize(file).toString(), crc.getValue());
            }
        }
    }
}
