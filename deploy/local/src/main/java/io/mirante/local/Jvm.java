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

    /** Which JDK this is: its version, vendor and folder. */
    static String jdk() {
        return Runtime.version()
                + " "
                + System.getProperty("java.vm.vendor")
                + " "
                + System.getProperty("java.home");
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

    /**
     * Puts a command into a session of its own where the system can, so that Ctrl-C does not reach it.
     *
     * @param niceness 0 = as this process, to 19 = whatever the others leave. Linux shares the processors between sessions first, by
     *     the session's own niceness ({@code sched(7)}, autogroups), which a process sets from within; where it does not, the
     *     process's counts
     */
    static List<String> inOwnSession(int niceness, List<String> command) {
        var all = new ArrayList<String>();
        boolean own = Files.isExecutable(Path.of("/usr/bin/setsid"));
        if (own) {
            all.add("/usr/bin/setsid");
        }
        if (niceness > 0) {
            // In a session that is not its own it would slow the caller's.
            String session = own ? "{ echo %d > /proc/self/autogroup; } 2> /dev/null; " : "";
            all.addAll(
                    List.of(
                            "/bin/sh",
                            "-c",
                            session.formatted(niceness)
                                    + "exec nice -n %d \"$@\"".formatted(niceness),
                            "sh"));
        }
        all.addAll(command);
        return all;
    }
}
