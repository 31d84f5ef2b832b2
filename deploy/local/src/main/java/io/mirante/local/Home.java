package io.mirante.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Stream;

/** The folder of one mesh: where everything in it lies, and whether this version may use it. */
record Home(Path folder) {
    /** Grows when a folder written by this version cannot be used by an earlier one, or the reverse. */
    static final int FORMAT = 1;

    static String version() {
        var properties = new Properties();
        try (InputStream in =
                Objects.requireNonNull(Home.class.getResourceAsStream("mesh.properties"))) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Objects.requireNonNull(properties.getProperty("version"));
    }

    Path postgresData() {
        return folder.resolve("postgres");
    }

    Path kafka() {
        return folder.resolve("kafka");
    }

    Path apps() {
        return folder.resolve("apps");
    }

    Path aot() {
        return folder.resolve("aot");
    }

    Path keys() {
        return folder.resolve("keys");
    }

    Path run() {
        return folder.resolve("run");
    }

    Path logs() {
        return folder.resolve("logs");
    }

    Path files(ServiceName service) {
        return folder.resolve("files").resolve(service.id());
    }

    Path log(String part) {
        return logs().resolve(part + ".log");
    }

    Path lockFile() {
        return folder.resolve("lock");
    }

    private Path versionFile() {
        return folder.resolve("version.properties");
    }

    boolean exists() {
        return Files.exists(versionFile());
    }

    /** Makes the folder when it is missing, and refuses one of another version. */
    void prepare() {
        try {
            if (!exists() && Files.isDirectory(folder) && !isFresh()) {
                throw new MeshException(
                        folder
                                + " is not empty and not a mesh's folder: set MIRANTE_HOME to another one");
            }
            Files.createDirectories(folder);
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            for (Path part : new Path[] {apps(), aot(), keys(), run(), logs()}) {
                Files.createDirectories(part);
            }
            if (!exists()) {
                var values = new Properties();
                values.setProperty("format", Integer.toString(FORMAT));
                values.setProperty("version", version());
                store(values, versionFile());
            }
        } catch (IOException e) {
            throw new MeshException("cannot use " + folder + ": " + e.getMessage(), e);
        }
        checkVersion();
    }

    /** Only what this launcher itself has put there before the version. */
    private boolean isFresh() throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (!name.startsWith("lock") && !name.equals("logs")) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Refuses a folder of another format. */
    void checkVersion() {
        Properties found = load(versionFile());
        String format = found.getProperty("format", "none");
        if (!format.equals(Integer.toString(FORMAT))) {
            throw new MeshException(
                    "the data in "
                            + folder
                            + " was written by Mirante "
                            + found.getProperty("version", "unknown")
                            + " (format "
                            + format
                            + "), this is "
                            + version()
                            + " (format "
                            + FORMAT
                            + "): with that version run ./mesh backup FILE, move the folder away, and run"
                            + " ./mesh restore FILE with this one");
        }
    }

    /** Keeps one predecessor of a part's log and begins a new one. */
    Path rotateLog(String part) {
        Path log = log(part);
        try {
            Files.createDirectories(logs());
            if (Files.exists(log)) {
                Files.move(
                        log, logs().resolve(part + ".1.log"), StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new MeshException("cannot rotate " + log + ": " + e.getMessage(), e);
        }
        return log;
    }

    /** The properties in {@code file}; none when it is missing. */
    static Properties load(Path file) {
        var properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
        } catch (NoSuchFileException none) {
            return properties;
        } catch (IOException | IllegalArgumentException e) {
            throw new MeshException("cannot read " + file + ": " + e.getMessage(), e);
        }
        return properties;
    }

    /** Replaces {@code file} in one step; only the owner may read it. */
    static void store(Properties properties, Path file) {
        try {
            Path fresh =
                    Files.createTempFile(
                            Objects.requireNonNull(file.toAbsolutePath().getParent()),
                            file.getFileName().toString(),
                            ".new",
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString("rw-------")));
            try (var out = Files.newOutputStream(fresh)) {
                properties.store(out, null);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new MeshException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
