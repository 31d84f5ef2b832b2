package io.mirante.local;

import io.mirante.contracts.Json;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import io.mirante.embedded.ProcessRecord;
import io.mirante.local.ServiceProcesses.Readiness;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;

/** What runs, and how it is. */
final class Status {
    private final Home home;
    private final MeshSettings settings;

    Status(Home home, MeshSettings settings) {
        this.home = home;
        this.settings = settings;
    }

    enum State {
        READY,
        STARTING,
        DOWN;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One part of the mesh.
     *
     * @param rssBytes resident memory of the process and its children, 0 when it does not run
     * @param pssBytes the same with shared pages counted in proportion, 0 when the system does not tell
     */
    record Part(
            String name,
            State state,
            @Nullable Long pid,
            @Nullable Integer port,
            @Nullable Integer managementPort,
            @Nullable Long uptimeSeconds,
            long rssBytes,
            long pssBytes,
            String detail) {

        /** What the part takes from the machine: PostgreSQL's processes share most of their pages. */
        long memoryBytes() {
            return pssBytes > 0 ? pssBytes : rssBytes;
        }
    }

    List<Part> parts() {
        var parts = new ArrayList<Part>();
        Ports ports = Ports.read(home);
        var infrastructure = new Infrastructure(home);
        var processes = new ServiceProcesses(home, settings);
        Optional<KafkaServer> kafka = KafkaServer.find(infrastructure.kafka());
        parts.add(
                part(
                        Ports.KAFKA,
                        kafka.map(KafkaServer::process),
                        kafka.map(KafkaServer::port).orElse(ports.byPart().get(Ports.KAFKA)),
                        null,
                        () ->
                                kafka.map(KafkaServer::port).map(Status::listens).orElse(false)
                                        ? new Readiness(true, "")
                                        : new Readiness(false, "not listening yet")));
        Optional<PostgresServer> postgres =
                home.exists()
                        ? PostgresServer.find(infrastructure.postgres(Secrets.of(home)))
                        : Optional.empty();
        parts.add(
                part(
                        Ports.POSTGRES,
                        postgres.map(PostgresServer::process),
                        postgres.map(PostgresServer::port)
                                .orElse(ports.byPart().get(Ports.POSTGRES)),
                        null,
                        () ->
                                postgres.map(PostgresServer::port)
                                                .map(Status::listens)
                                                .orElse(false)
                                        ? new Readiness(true, "")
                                        : new Readiness(false, "not listening yet")));
        for (ServiceName service : ServiceName.all()) {
            parts.add(
                    part(
                            service.id(),
                            processes.find(service),
                            ports.byPart().get(service.id()),
                            ports.byPart().get(Ports.management(service)),
                            () -> processes.readiness(service, ports)));
        }
        return parts;
    }

    /** Prints; true when every part is ready. */
    boolean print(PrintStream out, boolean json) {
        List<Part> parts = parts();
        boolean ready = parts.stream().allMatch(part -> part.state() == State.READY);
        boolean down = parts.stream().allMatch(part -> part.state() == State.DOWN);
        String state = ready ? "ready" : down ? "down" : "partial";
        if (json) {
            var answer = new LinkedHashMap<String, Object>();
            answer.put("state", state);
            answer.put("version", Home.version());
            answer.put("home", home.folder().toString());
            answer.put("gateway_url", gatewayUrl(parts));
            answer.put("parts", parts.stream().map(Status::fields).toList());
            out.println(
                    Json.mapper()
                            .rebuild()
                            .enable(SerializationFeature.INDENT_OUTPUT)
                            .build()
                            .writeValueAsString(answer));
            return ready;
        }
        out.printf(
                "%-14s %-9s %8s %6s %9s %8s  %s%n",
                "part", "state", "pid", "port", "uptime", "memory", "detail");
        for (Part part : parts) {
            out.printf(
                    Locale.ROOT,
                    "%-14s %-9s %8s %6s %9s %8s  %s%n",
                    part.name(),
                    part.state().text(),
                    part.pid() == null ? "-" : part.pid(),
                    part.port() == null ? "-" : part.port(),
                    part.uptimeSeconds() == null ? "-" : uptime(part.uptimeSeconds()),
                    part.memoryBytes() == 0 ? "-" : (part.memoryBytes() >> 20) + " MiB",
                    part.detail());
        }
        long memory = parts.stream().mapToLong(Part::memoryBytes).sum();
        out.printf(
                Locale.ROOT,
                "%s%s   %s%n",
                state,
                memory == 0 ? "" : ", " + (memory >> 20) + " MiB",
                gatewayUrl(parts));
        return ready;
    }

    private String gatewayUrl(List<Part> parts) {
        return parts.stream()
                .filter(part -> part.name().equals(ServiceName.GATEWAY.id()) && part.port() != null)
                .map(part -> "http://127.0.0.1:" + part.port())
                .findFirst()
                .orElse(settings.gatewayUrl());
    }

    private static Map<String, @Nullable Object> fields(Part part) {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        fields.put("name", part.name());
        fields.put("state", part.state().text());
        fields.put("pid", part.pid());
        fields.put("port", part.port());
        fields.put("management_port", part.managementPort());
        fields.put("uptime_seconds", part.uptimeSeconds());
        fields.put("rss_bytes", part.rssBytes());
        fields.put("pss_bytes", part.pssBytes());
        fields.put("detail", part.detail());
        return fields;
    }

    private interface Question {
        Readiness ask();
    }

    private static Part part(
            String name,
            Optional<ProcessRecord> process,
            @Nullable Integer port,
            @Nullable Integer managementPort,
            Question question) {
        if (process.isEmpty()) {
            return new Part(name, State.DOWN, null, port, managementPort, null, 0, 0, "");
        }
        Readiness readiness = question.ask();
        ProcessHandle handle = process.get().handle().orElse(null);
        long rss = 0;
        long pss = 0;
        if (handle != null) {
            for (ProcessHandle member :
                    Stream.concat(Stream.of(handle), handle.descendants()).toList()) {
                rss += kibibytes(member.pid(), "status", "VmRSS:") * 1024;
                pss += kibibytes(member.pid(), "smaps_rollup", "Pss:") * 1024;
            }
        }
        return new Part(
                name,
                readiness.ready() ? State.READY : State.STARTING,
                process.get().pid(),
                port,
                managementPort,
                Math.max(0, Duration.between(process.get().startedAt(), Instant.now()).toSeconds()),
                rss,
                pss,
                readiness.ready() ? "" : readiness.detail());
    }

    private static long kibibytes(long pid, String file, String field) {
        try {
            return Files.readAllLines(Path.of("/proc", Long.toString(pid), file)).stream()
                    .filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElse(0);
        } catch (IOException | NumberFormatException gone) {
            return 0;
        }
    }

    private static boolean listens(int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1_000);
            return true;
        } catch (IOException no) {
            return false;
        }
    }

    private static String uptime(long seconds) {
        return seconds >= 3600
                ? "%dh%02dm".formatted(seconds / 3600, seconds % 3600 / 60)
                : "%dm%02ds".formatted(seconds / 60, seconds % 60);
    }
}
