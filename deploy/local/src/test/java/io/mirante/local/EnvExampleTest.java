package io.mirante.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code .env.example} names every setting, with the default that holds. */
final class EnvExampleTest {
    private static final Path CHECKOUT = Path.of("../..");

    /** A setting in a service's YAML, and its default if there is one. */
    private static final Pattern PLACEHOLDER =
            Pattern.compile("\\$\\{([A-Z][A-Z0-9_]*)(?::([^{}]*))?}");

    /** Of a Java program that reads the environment itself, what it reads. */
    private static final Pattern NAME =
            Pattern.compile(
                    "(?:getOrDefault|get|getenv|text|port|number|flag|services|take|getProperty)\\(\\s*(?:environment,\\s*)?"
                            + "\"([A-Z][A-Z0-9_]+)\"");

    private static final Pattern OF_THE_SCRIPT =
            Pattern.compile("\\$\\{?(MESH_[A-Z_]+|MIRANTE_[A-Z_]+)");

    private static final Pattern EXAMPLE = Pattern.compile("(?m)\\b([A-Z][A-Z0-9_]*)=");

    private static final Pattern EXAMPLE_WITH_DEFAULT =
            Pattern.compile("(?m)^# ([A-Z][A-Z0-9_]*)=(\\S*)$");

    /** Another name of {@code PORT}, so that each service's is called alike. */
    private static final Set<String> ALIASES = Set.of("GATEWAY_PORT");

    /** Without a default: the file shows what one looks like. */
    private static final Set<String> SHOWN = Set.of("KAFKA_BOOTSTRAP_SERVERS");

    @Test
    void namesEverySettingThatIsRead() throws IOException {
        var read = new TreeSet<String>(defaultsOfServices().keySet());
        for (String module : List.of("deploy/local", "platform/setup", "platform/starter")) {
            for (Path source : files(CHECKOUT.resolve(module).resolve("src/main"), ".java")) {
                names(NAME, Files.readString(source)).forEach(read::add);
            }
        }
        names(OF_THE_SCRIPT, Files.readString(CHECKOUT.resolve("mesh"))).forEach(read::add);
        for (ServiceName service : ServiceName.all()) {
            read.add(service == ServiceName.GATEWAY ? "PORT" : service.name() + "_PORT");
        }
        assertThat(read).contains("MESH_AOT", "MESH_LOG_LEVEL", "MIRANTE_HOME", "DATABASE_URL");
        read.removeAll(ALIASES);
        assertThat(names(EXAMPLE, example())).containsAll(read);
    }

    @Test
    void showsTheDefaultsThatServicesHave() throws IOException {
        Map<String, Set<String>> defaults = defaultsOfServices();
        Map<String, String> shown =
                EXAMPLE_WITH_DEFAULT
                        .matcher(example())
                        .results()
                        .collect(Collectors.toMap(line -> line.group(1), line -> line.group(2)));
        assertThat(shown).hasSizeGreaterThan(30);
        shown.forEach((name, value) -> {
            if (defaults.containsKey(name) && !SHOWN.contains(name)) {
                assertThat(defaults.get(name)).as(name).contains(value);
            }
        });
    }

    private static String example() throws IOException {
        return Files.readString(CHECKOUT.resolve(".env.example"));
    }

    /** By name; without one a setting has the empty text. */
    private static Map<String, Set<String>> defaultsOfServices() throws IOException {
        var roots = new ArrayList<Path>();
        roots.add(CHECKOUT.resolve("platform/starter/src/main/resources"));
        for (ServiceName service : ServiceName.all()) {
            roots.add(CHECKOUT.resolve(service.module()).resolve("src/main/resources"));
        }
        var defaults = new TreeMap<String, Set<String>>();
        for (Path root : roots) {
            for (Path file : files(root, ".yml")) {
                PLACEHOLDER
                        .matcher(Files.readString(file))
                        .results()
                        .forEach(found ->
                                defaults.computeIfAbsent(found.group(1), name -> new TreeSet<>())
                                        .add(found.group(2) == null ? "" : found.group(2)));
            }
        }
        assertThat(defaults).hasSizeGreaterThan(30);
        return defaults;
    }

    private static Set<String> names(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map((MatchResult found) -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<Path> files(Path root, String end) throws IOException {
        try (Stream<Path> tree = Files.walk(root)) {
            return tree.filter(file -> file.toString().endsWith(end)).sorted().toList();
        }
    }
}
