package io.mirante.local;

import io.mirante.local.Applications.Application;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/**
 * Bean definitions prepared ahead of time by Spring: a jar that stands in for reading the service's configuration classes and
 * deciding their conditions at each start. It holds for the settings it was prepared with, so {@link #settings} belongs
 * to the name under which it is kept.
 */
final class SpringBeans {
    /** Where conditions look; other settings are read at each start. */
    private static final List<String> PREFIXES =
            List.of("SPRING_", "SERVER_", "MANAGEMENT_", "SPRINGDOC_", "MIRANTE_");

    /** Settings that conditions of this mesh ask for by other names, and ways round all of them. */
    private static final List<String> NAMES =
            List.of(
                    "TRACING_ENABLED",
                    "ENABLE_CORS",
                    "DEBUG",
                    "JAVA_TOOL_OPTIONS",
                    "JDK_JAVA_OPTIONS");

    /** Which mesh this is, and what tests and tools are told. */
    private static final List<String> WITHOUT_MEANING = List.of("MIRANTE_HOME", "MIRANTE_DATA");

    private static final String PROCESSOR =
            "org.springframework.boot.SpringApplicationAotProcessor";

    private SpringBeans() {}

    /** What conditions may depend on, of an environment in which the services will be started. */
    static SortedMap<String, String> settings(Map<String, String> environment) {
        var settings = new TreeMap<String, String>();
        environment.forEach((name, value) -> {
            if ((PREFIXES.stream().anyMatch(name::startsWith) || NAMES.contains(name))
                    && !WITHOUT_MEANING.contains(name)) {
                settings.put(name, value);
            }
        });
        return settings;
    }

    /** Whether configuration comes from files that may change while their names stay. */
    static boolean haveOtherSources(Map<String, String> environment, Path workingFolder) {
        if (environment.keySet().stream().anyMatch(name -> name.startsWith("SPRING_CONFIG_"))) {
            return true;
        }
        try (Stream<Path> files = Files.list(workingFolder)) {
            return files.map(file -> file.getFileName().toString())
                    .anyMatch(name -> name.equals("config") || name.startsWith("application"));
        } catch (IOException e) {
            return true;
        }
    }

    /** Starts one of the steps and waits for it. */
    @FunctionalInterface
    interface Step {
        /**
         * Runs a command to its end.
         *
         * @throws MeshException when it takes too long
         */
        int run(List<String> command) throws IOException;
    }

    /**
     * Lets Spring write the definitions as Java, compiles them and packs them.
     *
     * @param beans the jar to write
     * @throws MeshException when a step fails; there is no jar then
     */
    static void prepare(ServiceName service, Application application, Path beans, Step step)
            throws IOException {
        Path work = beans.resolveSibling(beans.getFileName() + ".new");
        Home.deleteTree(work);
        Path sources = Files.createDirectories(work.resolve("sources"));
        Path classes = Files.createDirectories(work.resolve("classes"));
        try {
            run(
                    step,
                    "Spring's processing",
                    List.of(
                            Jvm.java(),
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            application.jar().toString(),
                            PROCESSOR,
                            application.mainClass(),
                            sources.toString(),
                            work.resolve("resources").toString(),
                            classes.toString(),
                            "io.mirante",
                            service.module()));
            Path list = work.resolve("list");
            try (Stream<Path> tree = Files.walk(sources)) {
                Files.write(
                        list,
                        tree.filter(file -> file.toString().endsWith(".java"))
                                .map(file -> "\"" + file + "\"")
                                .toList());
            }
            run(
                    step,
                    "the compiler",
                    List.of(
                            Jvm.java("javac"),
                            "-J-XX:+UseSerialGC",
                            "-J-XX:TieredStopAtLevel=1",
                            "-nowarn",
                            "-proc:none",
                            "-d",
                            classes.toString(),
                            "-cp",
                            application.jar().toString(),
                            "@" + list));
            Path jar = work.resolve("beans.jar");
            pack(classes, jar);
            Files.move(jar, beans, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Home.deleteTree(work);
        }
    }

    private static void run(Step step, String name, List<String> command) throws IOException {
        int code = step.run(command);
        if (code != 0) {
            throw new MeshException(name + " ended with " + code);
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        var files = new ArrayList<Path>();
        try (Stream<Path> tree = Files.walk(classes)) {
            tree.filter(Files::isRegularFile).sorted().forEach(files::add);
        }
        try (var out = new JarOutputStream(Files.newOutputStream(jar))) {
            for (Path file : files) {
                out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                Files.copy(file, out);
                out.closeEntry();
            }
        }
    }
}
