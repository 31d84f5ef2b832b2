package io.mirante.snapshot.lake;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * The folder with the lake's files: {@code <tenant>/<day>/<random>.parquet}. Which of them count says the manifest alone. A file is there
 * completely and durably, or not under its name. Thread-safe; blocks.
 */
final class LakeFolder {

    private static final String UNFINISHED = ".new";

    private final Path folder;

    LakeFolder(Path folder) {
        this.folder = folder;
    }

    /** Where a file is. */
    Path path(String file) {
        return folder.resolve(file);
    }

    /** The rows of files, for DuckDB; each with its {@code filename}. */
    String parquet(Collection<LakeFile> files) {
        return "read_parquet([%s], hive_partitioning = false, filename = true)"
                .formatted(
                        files.stream()
                                .map(file -> text(path(file.file()).toString()))
                                .collect(Collectors.joining(", ")));
    }

    /** As a literal of DuckDB's. */
    static String text(String value) {
        return "'" + value.replace("'", "''") + "'";
    }

    /** A name for a new file of the tenant's. */
    String newFile(String tenant, LocalDate day) {
        return name(tenant) + "/" + day + "/" + UUID.randomUUID() + ".parquet";
    }

    /** Where to write a new file, until {@link #finish}; makes its folder. */
    Path begin(String file) throws IOException {
        Files.createDirectories(path(file).resolveSibling(""));
        return path(file + UNFINISHED);
    }

    /** Gives a new file its name, once it and its folders are on disk. */
    void finish(String file) throws IOException {
        force(path(file + UNFINISHED), StandardOpenOption.WRITE);
        Files.move(path(file + UNFINISHED), path(file), StandardCopyOption.ATOMIC_MOVE);
        for (var above = path(file).getParent();
                above != null && above.startsWith(folder);
                above = above.getParent()) {
            force(above, StandardOpenOption.READ);
        }
    }

    /** Takes back what was not finished. */
    void discard(String file) {
        delete(file + UNFINISHED);
    }

    void delete(String file) {
        try {
            Files.deleteIfExists(path(file));
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /** Notes that the file is not needed any more from now on. */
    void retire(String file) {
        try {
            Files.setLastModifiedTime(path(file), FileTime.from(Instant.now()));
        } catch (NoSuchFileException e) {
            // as well
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    /** SHA-256 of what is there, hexadecimal. */
    static String sha256(Path path) throws IOException {
        try (InputStream in = new DigestInputStream(Files.newInputStream(path), digest())) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(((DigestInputStream) in).getMessageDigest().digest());
        }
    }

    /** Whether the tenant has a folder here. */
    boolean holds(String tenant) {
        return Files.isDirectory(folder.resolve(name(tenant)));
    }

    /**
     * For a tenant of whom the manifest has files.
     *
     * @throws IllegalStateException when there is none of them
     */
    void requireFolderOf(String tenant) {
        if (!holds(tenant)) {
            throw new IllegalStateException(
                    "the lake's folder %s has none of the tenant's files: is it mounted, and the same for all replicas? (MIRANTE_LAKE_FOLDER)"
                            .formatted(folder));
        }
    }

    /** The tenant's files, whether they count or not. */
    Set<String> files(String tenant) {
        return list(tenant, Instant.MAX);
    }

    /**
     * Deletes the tenant's files but some.
     *
     * @param kept those of the manifest
     * @param before only what was written or retired before
     * @return how many
     */
    int deleteOthers(String tenant, Collection<String> kept, Instant before) {
        var others = list(tenant, before);
        others.removeAll(Set.copyOf(kept));
        others.forEach(this::delete);
        return others.size();
    }

    private Set<String> list(String tenant, Instant before) {
        if (!holds(tenant)) {
            return new HashSet<>();
        }
        try (var tree = Files.walk(folder.resolve(name(tenant)), 2)) {
            var files = tree.filter(Files::isRegularFile).toList();
            return files.stream()
                    .filter(path -> isBefore(path, before))
                    .map(path -> folder.relativize(path).toString())
                    .collect(Collectors.toCollection(HashSet::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isBefore(Path path, Instant before) {
        try {
            return Files.getLastModifiedTime(path).toInstant().isBefore(before);
        } catch (IOException e) {
            return false;
        }
    }

    /** Without what a file system or DuckDB could take for something else. */
    private static String name(String tenant) {
        return URLEncoder.encode(tenant, StandardCharsets.UTF_8)
                .replace(".", "%2E")
                .replace("*", "%2A");
    }

    IllegalStateException unwritable(Exception cause) {
        return new IllegalStateException(
                "the lake's folder %s cannot be written, events stay in PostgreSQL: %s"
                        .formatted(folder, cause.getMessage()),
                cause);
    }

    private static void force(Path path, StandardOpenOption how) throws IOException {
        try (var channel = FileChannel.open(path, how)) {
            channel.force(true);
        }
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
