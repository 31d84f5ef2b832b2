package io.mirante.local;

import io.mirante.contracts.Json;
import io.mirante.embedded.ProcessRecord;
import io.mirante.local.Applications.Application;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Starts, finds and asks the services' processes. Thread-safe: each service by one caller at a time. */
final class ServiceProcesses {
    private static final int TAIL_LINES = 15;
    private static final int ANSWER_BYTES = 64 * 1024;
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(1);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(3);

    private final Home home;
    private final MeshSettings settings;

    ServiceProcesses(Home home, MeshSettings settings) {
        this.home = home;
        this.settings = settings;
    }

    /**
     * What the service's readiness answered.
     *
     * @param stopped why one of its consumers waits for somebody to act, which names the remedy; empty = none does
     */
    record Readiness(boolean ready, String detail, String stopped) {

        Readiness(boolean ready, String detail) {
            this(ready, detail, "");
        }
    }

    Optional<ProcessRecord> find(ServiceName service) {
        return ProcessRecord.read(pidFile(service)).filter(ProcessRecord::isAlive);
    }

    /** Starts the process; it is not ready yet. */
    ProcessRecord start(
            ServiceName service,
            Application application,
            AotCaches caches,
            Ports ports,
            Secrets secrets) {
        Path log = home.rotateLog(service.module());
        var command = new ArrayList<String>();
        command.add(Jvm.java());
        command.addAll(Jvm.flags(settings, service));
        try {
            command.addAll(caches.start(service, application));
            Files.createDirectories(home.files(service));
            Process process =
                    builder(service.niceness(), command, log, environment(service, ports, secrets))
                            .start();
            ProcessRecord record = ProcessRecord.of(process.toHandle());
            record.write(pidFile(service));
            return record;
        } catch (IOException e) {
            throw new MeshException("cannot start " + service.module() + ": " + e.getMessage(), e);
        }
    }

    /** A command in a session of its own ({@link Jvm#inOwnSession}), without input, its output appended to {@code log}. */
    ProcessBuilder builder(
            int niceness, List<String> command, Path log, Map<String, String> environment) {
        var builder = new ProcessBuilder(Jvm.inOwnSession(niceness, command));
        builder.directory(home.folder().toFile());
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.redirectInput(Path.of("/dev/null").toFile());
        for (String name :
                List.of(
                        "PORT",
                        "GATEWAY_PORT",
                        "HOST",
                        "DATABASE_URL",
                        "MIRANTE_MASTER_KEY_FILE",
                        "KAFKA_PORT",
                        "POSTGRES_PORT")) {
            builder.environment().remove(name);
        }
        for (ServiceName other : ServiceName.all()) {
            builder.environment().remove(other.name() + "_PORT");
        }
        if (builder.environment().getOrDefault("API_KEYS", "").isBlank()) {
            // Set but empty is not set: the gateway then has local mode's own key.
            builder.environment().remove("API_KEYS");
        }
        builder.environment().putAll(environment);
        return builder;
    }

    /** What a service is told; secrets go this way only, never on a command line. */
    Map<String, String> environment(ServiceName service, Ports ports, Secrets secrets) {
        var values = new TreeMap<String, String>();
        String port = Integer.toString(ports.service(service));
        values.put("SPRING_PROFILES_ACTIVE", "local");
        values.put("SERVER_PORT", port);
        values.put(
                "SERVER_ADDRESS", service == ServiceName.GATEWAY ? settings.host() : "127.0.0.1");
        values.put("MANAGEMENT_SERVER_PORT", Integer.toString(ports.managementOf(service)));
        values.put("MANAGEMENT_SERVER_ADDRESS", "127.0.0.1");
        values.put("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:" + ports.of(Ports.KAFKA));
        values.put("DB_URL", "postgresql://127.0.0.1:" + ports.of(Ports.POSTGRES) + "/mirante");
        values.put("DB_APP_PASSWORD", secrets.appPassword(service));
        values.put("DB_STREAM_PASSWORD", secrets.streamPassword(service));
        values.put("MIRANTE_JWKS_FILE", secrets.publicKeys().toString());
        if (service.signs()) {
            values.put("MIRANTE_SIGNING_KEY_FILE", secrets.signingKey(service).toString());
        }
        if (service == ServiceName.INGESTION || service == ServiceName.ETL) {
            values.put("MIRANTE_MASTER_KEY_FILE", secrets.masterKey().toString());
        }
        values.put("MIRANTE_INSTANCE", service.id() + "-1");
        values.put("MIRANTE_FILES", home.files(service).toString());
        values.put("OMP_NUM_THREADS", "1");
        if (service == ServiceName.GATEWAY) {
            values.put("PORT", port);
        }
        if (service == ServiceName.ALERT) {
            // The only private address a webhook may reach without being asked for: this machine.
            values.put(
                    "WEBHOOK_ALLOWED_HOSTS",
                    System.getenv().getOrDefault("WEBHOOK_ALLOWED_HOSTS", "127.0.0.1"));
        }
        for (ServiceName other : ServiceName.all()) {
            values.put(other.name() + "_URL", "http://127.0.0.1:" + ports.service(other));
            values.put(
                    other.name() + "_MANAGEMENT_URL",
                    "http://127.0.0.1:" + ports.managementOf(other));
        }
        return values;
    }

    /** Asks the service whether it takes work; never throws. */
    Readiness readiness(ServiceName service, Ports ports) {
        try {
            URI uri =
                    URI.create(
                            "http://127.0.0.1:"
                                    + ports.managementOf(service)
                                    + "/actuator/health/readiness");
            var connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setConnectTimeout((int) CONNECT_LIMIT.toMillis());
            connection.setReadTimeout((int) ANSWER_LIMIT.toMillis());
            try {
                int status = connection.getResponseCode();
                if (status == 200) {
                    return new Readiness(true, "UP");
                }
                var body = connection.getErrorStream();
                String text =
                        body == null
                                ? ""
                                : new String(body.readNBytes(ANSWER_BYTES), StandardCharsets.UTF_8);
                return new Readiness(false, "answers " + status + notUp(text), stopped(text));
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            return new Readiness(false, "no answer yet");
        }
    }

    /** The parts of a health answer that are not up, such as {@code ", not up: kafka, consumers"}. */
    private static String notUp(String body) {
        try {
            var names = new ArrayList<String>();
            for (var component : Json.mapper().readTree(body).path("components").properties()) {
                if (!component.getValue().path("status").asString("").equals("UP")) {
                    names.add(component.getKey());
                }
            }
            return names.isEmpty() ? "" : ", not up: " + String.join(", ", names);
        } catch (JacksonException notJson) {
            return "";
        }
    }

    private static String stopped(String body) {
        try {
            JsonNode consumers = Json.mapper().readTree(body).path("components").path("consumers");
            return consumers.path("details").properties().stream()
                    .findFirst()
                    .map(stopped ->
                            stopped.getKey() + " is stopped: " + stopped.getValue().asString(""))
                    .orElse("");
        } catch (JacksonException notJson) {
            return "";
        }
    }

    /** The last lines of the service's log, indented; of a structured line its level and message. */
    String tail(ServiceName service) {
        try {
            List<String> lines =
                    new String(
                                    Files.readAllBytes(home.log(service.module())),
                                    StandardCharsets.UTF_8)
                            .lines()
                            .flatMap(ServiceProcesses::readable)
                            .filter(line -> !line.isBlank())
                            .toList();
            return String.join(
                    "\n",
                    lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()).stream()
                            .map(line ->
                                    "    "
                                            + (line.length() > 400
                                                    ? line.substring(0, 400) + "…"
                                                    : line))
                            .toList());
        } catch (IOException none) {
            return "";
        }
    }

    private static Stream<String> readable(String line) {
        if (!line.startsWith("{")) {
            return Stream.of(line);
        }
        try {
            JsonNode entry = Json.mapper().readTree(line);
            String level = entry.path("log").path("level").asString("");
            return (level + " " + entry.path("message").asString("")).lines();
        } catch (JacksonException notJson) {
            return Stream.of(line);
        }
    }

    /** Asks the service to stop, and kills it when it has not within {@code limit}. */
    void stop(ServiceName service, Duration limit) {
        Optional<ProcessRecord> running = find(service);
        if (running.isPresent()) {
            running.get().signal("TERM");
            if (!running.get().awaitExit(limit)) {
                running.get().signal("KILL");
                running.get().awaitExit(limit);
            }
        }
        forget(service);
    }

    private void forget(ServiceName service) {
        try {
            Files.deleteIfExists(pidFile(service));
        } catch (IOException e) {
            throw new MeshException("cannot remove " + pidFile(service) + ": " + e.getMessage(), e);
        }
    }

    private Path pidFile(ServiceName service) {
        return home.run().resolve(service.id() + ".pid");
    }
}
