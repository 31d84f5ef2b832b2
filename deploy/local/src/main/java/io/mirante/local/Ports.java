package io.mirante.local;

import io.mirante.embedded.FreePorts;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/**
 * The ports of a mesh's parts, remembered in its home folder so that they stay the same from start to start.
 *
 * @param byPart part to port: {@code kafka}, {@code postgres}, each service's id, and with {@code -management} its
 *     actuator
 */
record Ports(Map<String, Integer> byPart) {
    static final String KAFKA = "kafka";
    static final String POSTGRES = "postgres";

    Ports {
        byPart = Map.copyOf(byPart);
    }

    static String management(ServiceName service) {
        return service.id() + "-management";
    }

    int of(String part) {
        Integer port = byPart.get(part);
        if (port == null) {
            throw new MeshException("no port is known for " + part + ": run ./mesh up");
        }
        return port;
    }

    int service(ServiceName service) {
        return of(service.id());
    }

    int managementOf(ServiceName service) {
        return of(management(service));
    }

    boolean isEmpty() {
        return byPart.isEmpty();
    }

    static Ports read(Home home) {
        var ports = new TreeMap<String, Integer>();
        Properties stored = Home.load(home.run().resolve("ports.properties"));
        for (String part : stored.stringPropertyNames()) {
            try {
                ports.put(part, Integer.valueOf(stored.getProperty(part)));
            } catch (NumberFormatException damaged) {
                // Chosen anew at the next start.
            }
        }
        return new Ports(ports);
    }

    void write(Home home) {
        var properties = new Properties();
        byPart.forEach((part, port) -> properties.setProperty(part, port.toString()));
        Home.store(properties, home.run().resolve("ports.properties"));
    }

    /**
     * Ports for a start: a running part keeps its own; a setting comes before what is remembered; a remembered port that
     * somebody else has taken is replaced by a free one, unless running parts expect it.
     *
     * @param running parts that run, by the names of {@link #byPart}
     * @param isFree whether nobody listens on a port
     */
    static Ports choose(
            MeshSettings settings, Ports remembered, Set<String> running, IntPredicate isFree) {
        var chosen = new TreeMap<String, Integer>();
        var used = new HashSet<Integer>();
        for (String part : running) {
            chosen.put(part, remembered.of(part));
            used.add(remembered.of(part));
        }
        for (String part : parts()) {
            if (chosen.containsKey(part)) {
                continue;
            }
            Integer wanted =
                    part.equals(ServiceName.GATEWAY.id())
                            ? Integer.valueOf(settings.gatewayPort())
                            : settings.ports().get(part);
            Integer before = remembered.byPart().get(part);
            int port;
            if (wanted != null) {
                if (used.contains(wanted) || !isFree.test(wanted)) {
                    throw taken(part, wanted);
                }
                port = wanted;
                if (!running.isEmpty()
                        && before != null
                        && !before.equals(wanted)
                        && !part.equals(ServiceName.GATEWAY.id())) {
                    throw new MeshException(
                            "running parts expect "
                                    + part
                                    + " on port "
                                    + before
                                    + ", the settings say "
                                    + wanted
                                    + ": run ./mesh down first");
                }
            } else if (before != null && !used.contains(before) && isFree.test(before)) {
                port = before;
            } else if (before != null && !running.isEmpty()) {
                throw new MeshException(
                        "port "
                                + before
                                + " of "
                                + part
                                + " is taken by another program, and running parts expect "
                                + part
                                + " there: run ./mesh down, then ./mesh up");
            } else {
                port = nextFree(used);
            }
            chosen.put(part, port);
            used.add(port);
        }
        return new Ports(chosen);
    }

    /** A free port for each part, beside any other mesh. */
    static Ports free() {
        var chosen = new TreeMap<String, Integer>();
        for (String part : parts()) {
            chosen.put(part, nextFree(Set.copyOf(chosen.values())));
        }
        return new Ports(chosen);
    }

    private static Set<String> parts() {
        var parts = new LinkedHashSet<String>();
        parts.add(ServiceName.GATEWAY.id());
        parts.add(KAFKA);
        parts.add(POSTGRES);
        for (ServiceName service : ServiceName.all()) {
            parts.add(service.id());
            parts.add(management(service));
        }
        return parts;
    }

    private static int nextFree(Set<Integer> used) {
        int port = FreePorts.next();
        while (used.contains(port)) {
            port = FreePorts.next();
        }
        return port;
    }

    private static MeshException taken(String part, int port) {
        String setting =
                part.equals(ServiceName.GATEWAY.id())
                        ? "PORT"
                        : part.toUpperCase(Locale.ROOT) + "_PORT";
        return new MeshException(
                "port "
                        + port
                        + " ("
                        + part
                        + ") is taken by another program: stop it, or set "
                        + setting
                        + " to a free port, for example "
                        + setting
                        + "="
                        + FreePorts.next());
    }
}
