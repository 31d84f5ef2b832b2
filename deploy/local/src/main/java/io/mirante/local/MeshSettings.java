package io.mirante.local;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What the environment says about the local mesh.
 *
 * @param checkout the folder with the built jars
 * @param home everything the mesh writes lies below it
 * @param host address the gateway listens on; everything else listens on the loopback address
 * @param gatewayPort in [1, 65535]
 * @param ports wanted ports by part ({@code etl}, {@code kafka}, {@code postgres} …), each in [1, 65535]
 * @param allTiers whether the services' JVMs use all compilers (fast after a while) or only the quick one (small)
 * @param aot whether class caches are trained and used
 * @param startLimit how long one part may take until it is ready, positive
 * @param parallel how many services start at once, positive; empty: as many as the machine does well
 * @param services those that are started, not empty
 * @param jvmFlags more flags for the services' JVMs, none holds a blank
 * @param apiKey the first key of the tenant that local mode has, not blank
 * @param tenant that tenant's id, not blank
 * @param conditions what Spring's conditions may depend on ({@link SpringBeans#settings}); may hold secrets
 */
record MeshSettings(
        Path checkout,
        Path home,
        String host,
        int gatewayPort,
        Map<String, Integer> ports,
        boolean allTiers,
        boolean aot,
        Duration startLimit,
        Optional<Integer> parallel,
        Set<ServiceName> services,
        List<String> jvmFlags,
        String apiKey,
        String tenant,
        SortedMap<String, String> conditions) {

    /** What the gateway takes in local mode when {@code API_KEYS} names none. */
    static final String DEVELOPMENT_KEY = "dev-key-123";

    private static final int DEFAULT_PORT = 3000;
    private static final int DEFAULT_START_LIMIT_SECONDS = 240;

    MeshSettings {
        if (!(startLimit.isPositive())) {
            throw new MeshException("MESH_START_TIMEOUT_SECONDS must be positive");
        }
        if (!(parallel.orElse(1) > 0)) {
            throw new MeshException("MESH_PARALLEL must be positive, was " + parallel.get());
        }
        checkout = checkout.toAbsolutePath().normalize();
        home = checkout.resolve(home).normalize();
        ports = Map.copyOf(ports);
        services = Set.copyOf(services);
        jvmFlags = List.copyOf(jvmFlags);
        conditions = Collections.unmodifiableSortedMap(new TreeMap<>(conditions));
    }

    /** Reads settings; a relative MIRANTE_HOME lies below the checkout. */
    static MeshSettings from(Map<String, String> environment, Path checkout) {
        var ports = new TreeMap<String, Integer>();
        for (ServiceName service : ServiceName.all()) {
            if (service != ServiceName.GATEWAY) {
                port(environment, service.name() + "_PORT")
                        .ifPresent(port -> ports.put(service.id(), port));
            }
        }
        port(environment, "KAFKA_PORT").ifPresent(port -> ports.put(Ports.KAFKA, port));
        port(environment, "POSTGRES_PORT").ifPresent(port -> ports.put(Ports.POSTGRES, port));
        int gateway =
                port(environment, "PORT")
                        .or(() -> port(environment, "GATEWAY_PORT"))
                        .orElse(DEFAULT_PORT);
        return new MeshSettings(
                checkout,
                Path.of(text(environment, "MIRANTE_HOME").orElse(".mesh")),
                text(environment, "HOST").orElse("127.0.0.1"),
                gateway,
                ports,
                flag(environment, "MESH_ALL_TIERS", false),
                flag(environment, "MESH_AOT", true),
                Duration.ofSeconds(
                        number(environment, "MESH_START_TIMEOUT_SECONDS", 1, 86_400)
                                .orElse(DEFAULT_START_LIMIT_SECONDS)),
                number(environment, "MESH_PARALLEL", 1, 64),
                services(text(environment, "MESH_SERVICES")),
                text(environment, "MESH_JVM_FLAGS")
                        .map(flags -> List.of(flags.split("\\s+")))
                        .orElse(List.of()),
                firstKey(environment),
                text(environment, "MIRANTE_BOOTSTRAP_TENANT").orElse("demo"),
                SpringBeans.settings(environment));
    }

    private static Set<ServiceName> services(Optional<String> names) {
        return names.stream()
                .flatMap(text -> Arrays.stream(text.split("[\\s,]+")))
                .map(name ->
                        ServiceName.find(name)
                                .orElseThrow(() ->
                                        new MeshException(
                                                "MESH_SERVICES names no service " + name)))
                .collect(
                        Collectors.collectingAndThen(
                                Collectors.toSet(),
                                some -> some.isEmpty() ? Set.copyOf(ServiceName.all()) : some));
    }

    private static String firstKey(Map<String, String> environment) {
        return Arrays.stream(environment.getOrDefault("API_KEYS", "").split(","))
                .map(String::strip)
                .filter(key -> !key.isEmpty())
                .findFirst()
                .orElse(DEVELOPMENT_KEY);
    }

    /** Where clients on this machine reach the mesh. */
    String gatewayUrl() {
        return "http://127.0.0.1:" + gatewayPort;
    }

    private static Optional<String> text(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name))
                .map(String::strip)
                .filter(value -> !value.isEmpty());
    }

    private static Optional<Integer> port(Map<String, String> environment, String name) {
        return number(environment, name, 1, 65_535);
    }

    private static Optional<Integer> number(
            Map<String, String> environment, String name, int least, int most) {
        Optional<String> text = text(environment, name);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            int value = Integer.parseInt(text.get());
            if (value >= least && value <= most) {
                return Optional.of(value);
            }
        } catch (NumberFormatException notANumber) {
            // Refused below, like a number out of range.
        }
        throw new MeshException(
                name
                        + " must be a whole number from "
                        + least
                        + " to "
                        + most
                        + ", was "
                        + text.get());
    }

    private static boolean flag(Map<String, String> environment, String name, boolean fallback) {
        Optional<String> text = text(environment, name);
        if (text.isEmpty()) {
            return fallback;
        }
        return switch (text.get()) {
            case "1", "true", "on", "yes" -> true;
            case "0", "false", "off", "no" -> false;
            default -> throw new MeshException(name + " must be on or off, was " + text.get());
        };
    }
}
