package io.mirante.local;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How the services' JVMs are started. */
final class Jvm {
    private Jvm() {}

    /** This JVM's own {@code java}. */
    static String java() {
        return java("java");
    }

    /** A program of this JVM's own JDK. */
    static String java(String program) {
        return Path.of(System.getProperty("java.home"), "bin", program).toString();
    }

    /** Flags that a class cache depends on: it is valid only for a JVM with the same ones. */
    static List<String> flags(MeshSettings settings, ServiceName service) {
        var flags = new ArrayList<String>();
        flags.add("-XX:+UseSerialGC");
        if (!settings.allTiers()) {
            flags.add("-XX:TieredStopAtLevel=1");
            // Of a heap of 256 MiB the young generation would have 78, and keep them once touched.
            flags.add("-Xmn32m");
            // The quick compiler's own 48 MiB lead to a full collection while the service starts.
            flags.add("-XX:ReservedCodeCacheSize=128m");
        }
        flags.add("-Xmx" + service.heapMib() + "m");
        flags.add("-Xss512k");
        flags.add("-XX:+ExitOnOutOfMemoryError");
        flags.add("-Dfile.encoding=UTF-8");
        flags.add("-Duser.timezone=UTC");
        flags.add("--enable-native-access=ALL-UNNAMED");
        flags.add("--sun-misc-unsafe-memory-access=allow");
        flags.addAll(settings.jvmFlags());
        return flags;
    }

    /** Puts a command into a session of its own where the system can, so that Ctrl-C does not reach it. */
    static List<String> inOwnSession(List<String> command) {
        var all = new ArrayList<String>();
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
            all.add("/usr/bin/setsid");
        }
        all.addAll(command);
        return all;
    }
}
