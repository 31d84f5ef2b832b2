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
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Brings the services' schemas up to date with the migrations in their jars. A schema whose migrations are the ones that
 * ran last, on the same database, is left alone. Thread-safe: each service by one caller at a time.
 */
final class Migrations {
    private static final Pattern SCRIPT = Pattern.compile(".*/V(.+?)__.*\\.sql");

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
            try (var loader = loader(application)) {
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
            throw cannotMigrate(service, e);
        }
    }

    /** Runs the migrations of these versions and no others, so that the next start migrates on. */
    void migrateOnly(
            ServiceName service,
            Application application,
            PostgresServer postgres,
            Set<String> versions) {
        try (var loader = loader(application)) {
            Migrator.migrateOnly(
                    postgres.ownerUrl(),
                    service.id(),
                    secrets.appPassword(service),
                    secrets.streamPassword(service),
                    loader,
                    versions);
        } catch (IOException | RuntimeException e) {
            throw cannotMigrate(service, e);
        }
    }

    /** Versions of all migrations that the service has here, as Flyway's history would have them. */
    static Set<String> versions(Application application) throws IOException {
        var versions = new TreeSet<String>();
        for (String script : scripts(application).keySet()) {
            var name = SCRIPT.matcher(script);
            if (name.matches()) {
                versions.add(name.group(1).replace('_', '.'));
            }
        }
        return versions;
    }

    private static URLClassLoader loader(Application application) throws IOException {
        return new URLClassLoader(
                new URL[] {application.jar().toUri().toURL()}, Migrations.class.getClassLoader());
    }

    private static MeshException cannotMigrate(ServiceName service, Exception e) {
        return new MeshException(
                "cannot migrate the schema of " + service.module() + ": " + e.getMessage(), e);
    }

    /** Changes with any migration of the service or of the set-up step. */
    private static String fingerprint(Application application) throws IOException {
        return Integer.toHexString(scripts(application).hashCode());
    }

    /** Checksums of the scripts of the service and of the set-up step. */
    private static TreeMap<String, Long> scripts(Application application) throws IOException {
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
        return found;
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
