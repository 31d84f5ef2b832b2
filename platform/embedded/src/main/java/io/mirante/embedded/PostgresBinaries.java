package io.mirante.embedded;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Locale;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * PostgreSQL's programs, unpacked once per version into a cache folder. Several JVMs may do so at once: each unpacks into
 * a folder of its own and the first to finish renames it into place.
 */
final class PostgresBinaries {
    private final Path folder;
    private final String version;

    private PostgresBinaries(Path folder, String version) {
        this.folder = folder;
        this.version = version;
    }

    /** The folder all checkouts and JVMs of this user share. */
    static Path defaultCache() {
        return Path.of(System.getProperty("user.home"), ".cache", "mirante");
    }

    /** Unpacks when needed; blocks for a few seconds the first time. */
    static PostgresBinaries in(Path cache) {
        String version = bundledVersion();
        Path target = cache.toAbsolutePath().resolve("postgres-" + version);
        try {
            if (!Files.isDirectory(target)) {
                Files.createDirectories(cache);
                Path fresh = Files.createTempDirectory(cache, "unpacking-postgres-");
                try {
                    unpack(fresh);
                    Files.setPosixFilePermissions(
                            fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
                    Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
                } catch (DirectoryNotEmptyException | FileAlreadyExistsException another) {
                    delete(fresh);
                } catch (IOException | RuntimeException e) {
                    delete(fresh);
                    throw e;
                }
            }
        } catch (IOException e) {
            throw new EmbeddedServerException(
                    "cannot unpack PostgreSQL into " + target + ": " + e.getMessage(), e);
        }
        return new PostgresBinaries(target, version);
    }

    Path program(String name) {
        return folder.resolve("bin").resolve(name);
    }

    /** The major version, for example {@code 18}: the one data folders carry. */
    String majorVersion() {
        return version.substring(0, version.indexOf('.'));
    }

    private static String bundledVersion() {
        var versions = new Properties();
        try (var in =
                Objects.requireNonNull(
                        PostgresBinaries.class.getResourceAsStream("versions.properties"))) {
            versions.load(in);
        } catch (IOException e) {
            throw new EmbeddedServerException("cannot read versions.properties", e);
        }
        return Objects.requireNonNull(versions.getProperty("postgres"));
    }

    private static void unpack(Path target) throws IOException {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        String resource =
                "/postgres-"
                        + (os.contains("linux") ? "linux" : os)
                        + "-"
                        + (arch.equals("amd64") ? "x86_64" : arch)
                        + ".txz";
        try (InputStream raw = PostgresBinaries.class.getResourceAsStream(resource)) {
            if (raw == null) {
                throw new EmbeddedServerException(
                        "no embedded PostgreSQL for "
                                + os
                                + " on "
                                + arch
                                + ": use Linux on x86-64, or an external PostgreSQL");
            }
            try (var tar =
                    new TarArchiveInputStream(
                            new XZInputStream(new BufferedInputStream(raw, 1 << 16)))) {
                for (TarArchiveEntry entry = tar.getNextEntry();
                        entry != null;
                        entry = tar.getNextEntry()) {
                    write(tar, entry, target);
                }
            }
        }
    }

    private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path target)
            throws IOException {
        Path path = target.resolve(entry.getName()).normalize();
        if (!path.startsWith(target)) {
            throw new IOException("entry outside of the folder: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(path);
            return;
        }
        Files.createDirectories(path.getParent());
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
        } else {
            Files.copy(tar, path);
            if ((entry.getMode() & 0100) != 0) {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
