package io.mirante.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Properties;
import java.util.jar.Attributes;
import java.util.jar.JarFile;

/** The services' jars, each extracted once per content into the home folder: an extracted application starts faster. */
final class Applications {
    private final Path checkout;
    private final Home home;

    Applications(Path checkout, Home home) {
        this.checkout = checkout;
        this.home = home;
    }

    /**
     * One extracted application.
     *
     * @param jar starts it; its libraries lie in {@code lib} beside it
     * @param hash of the jar it was extracted from, 16 hexadecimal digits
     */
    record Application(Path jar, String hash) {

        /** The class that the jar starts. */
        String mainClass() throws IOException {
            try (var file = new JarFile(jar.toFile())) {
                String name =
                        file.getManifest().getMainAttributes().getValue(Attributes.Name.MAIN_CLASS);
                if (name == null) {
                    throw new IOException(jar + " names no main class");
                }
                return name;
            }
        }
    }

    /** Extracts when the built jar is new; removes what was extracted before. */
    Application extracted(ServiceName service) {
        Path built =
                checkout.resolve(service.module())
                        .resolve("target")
                        .resolve(service.module() + ".jar");
        if (!Files.exists(built)) {
            throw new MeshException(built + " is missing: ./mesh up builds it");
        }
        try {
            String hash = hash(service, built);
            Path folder = home.apps().resolve(service.id() + "-" + hash);
            Path jar = folder.resolve(built.getFileName());
            if (!Files.exists(jar)) {
                Path fresh = home.apps().resolve(service.id() + ".extracting");
                Home.deleteTree(fresh);
                extract(built, fresh);
                removeEarlier(service);
                Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
            }
            return new Application(jar, hash);
        } catch (IOException e) {
            throw new MeshException("cannot extract " + built + ": " + e.getMessage(), e);
        }
    }

    /**
     * Remembers the hash by the file's size, inode and time of its last change, since the jars are large. The time of
     * modification says nothing: the build sets it to the same instant always.
     */
    private String hash(ServiceName service, Path built) throws IOException {
        String stamp =
                Files.size(built)
                        + " "
                        + Files.getAttribute(built, "unix:ino")
                        + " "
                        + Files.getAttribute(built, "unix:ctime");
        Path file = home.apps().resolve(service.id() + ".properties");
        Properties known = Home.load(file);
        if (stamp.equals(known.getProperty("stamp"))) {
            return known.getProperty("hash");
        }
        String hash = sha256(built).substring(0, 16);
        known.setProperty("stamp", stamp);
        known.setProperty("hash", hash);
        Home.store(known, file);
        return hash;
    }

    private static String sha256(Path file) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                byte[] buffer = new byte[1 << 16];
                while (in.read(buffer) >= 0) {
                    // The digest sees what is read.
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void extract(Path built, Path target) throws IOException {
        Path log = home.logs().resolve("extract.log");
        Process process =
                new ProcessBuilder(
                                Jvm.java(),
                                "-XX:TieredStopAtLevel=1",
                                "-XX:+UseSerialGC",
                                "-Djarmode=tools",
                                "-jar",
                                built.toString(),
                                "extract",
                                "--destination",
                                target.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                        .start();
        try {
            if (process.waitFor() != 0) {
                throw new MeshException("cannot extract " + built + ", see " + log);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted", e);
        }
    }

    private void removeEarlier(ServiceName service) throws IOException {
        try (DirectoryStream<Path> folders =
                Files.newDirectoryStream(home.apps(), service.id() + "-*")) {
            for (Path folder : folders) {
                Home.deleteTree(folder);
            }
        }
    }
}
