package io.mirante.bench.start;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** What one of the eight applications of a probe is. */
enum Probe {
    /** Probe L9: nothing but WebFlux. */
    BARE(BareApplication.class, "/ready") {
        @Override
        Map<String, String> environment(String name, int port, int kafka, String database) {
            return Map.of("SERVER_PORT", Integer.toString(port));
        }
    },

    /** The same with the libraries of a service, and bean definitions prepared as the launcher prepares a service's. */
    LIBRARIES(LibraryApplication.class, "/actuator/health/readiness") {
        @Override
        Map<String, String> environment(String name, int port, int kafka, String database) {
            return Map.of(
                    "SPRING_CONFIG_NAME",
                    "library-application",
                    "SERVER_PORT",
                    "0",
                    "MANAGEMENT_SERVER_ADDRESS",
                    "127.0.0.1",
                    "MANAGEMENT_SERVER_PORT",
                    Integer.toString(port),
                    "PROBE_NAME",
                    name,
                    "PROBE_KAFKA",
                    "127.0.0.1:" + kafka,
                    "PROBE_DATABASE",
                    database);
        }

        /** Without Mirante's own, whose auto-configurations would make a service of it. */
        @Override
        boolean takes(String jar) {
            return !jar.startsWith("mirante-") || jar.equals(OWN_JAR);
        }
    };

    private static final String OWN_JAR = "mirante-bench.jar";

    private final Class<?> application;
    private final String readyPath;

    Probe(Class<?> application, String readyPath) {
        this.application = application;
        this.readyPath = readyPath;
    }

    Class<?> application() {
        return application;
    }

    String readyPath() {
        return readyPath;
    }

    boolean hasPreparedBeans() {
        return this == LIBRARIES;
    }

    /** What an application is told. {@code port} is where it says that it is ready. */
    abstract Map<String, String> environment(String name, int port, int kafka, String database);

    boolean takes(String jar) {
        return true;
    }

    /** A class cache wants jars: the folder of classes becomes the jar built from it. */
    String classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .map(path -> path.endsWith("target/classes") ? path.resolveSibling(OWN_JAR) : path)
                .filter(path -> takes(path.getFileName().toString()))
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
    }
}
