package io.mirante.local;

import io.mirante.contracts.Topics;
import io.mirante.embedded.EmbeddedServerException;
import io.mirante.embedded.FreePorts;
import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import io.mirante.embedded.ProcessRecord;
import io.mirante.local.Applications.Application;
import io.mirante.local.ServiceProcesses.Readiness;
import io.mirante.setup.TopicSetup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Brings up what does not run: Kafka and PostgreSQL side by side, topics, schemas, then the services a few at a time,
 * each until it is ready; prepared ones all at once and beside Kafka. When one fails, what this start has begun is stopped again.
 */
final class Up {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration WATCH = Duration.ofSeconds(1);
    private static final int STOP_ROUNDS = 5;
    private static final String LOCAL_TENANT = "demo";
    private static final Duration SERVICE_STOP_LIMIT = Duration.ofSeconds(20);

    private final Home home;
    private final MeshSettings settings;
    private final Progress progress;
    private final Infrastructure infrastructure;
    private final ServiceProcesses processes;
    private final AotCaches caches;

    /** Guards the decision to start a process: none is started once stopping has begun. */
    private final Object startGate = new Object();

    private final ReadWriteLock migrating = new ReentrantReadWriteLock();

    private volatile boolean stopping;
    private volatile boolean failed;

    Up(Home home, MeshSettings settings, Progress progress) {
        this.home = home;
        this.settings = settings;
        this.progress = progress;
        this.infrastructure = new Infrastructure(home);
        this.processes = new ServiceProcesses(home, settings);
        this.caches = new AotCaches(home, settings);
    }

    /** Starts what is missing and, unless {@code detach}, stays until the mesh is stopped. */
    void run(boolean detach) {
        home.prepare();
        Thread hook = Thread.ofPlatform().unstarted(this::stopOnSignal);
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            start();
        } catch (RuntimeException e) {
            if (stopping) {
                awaitEnd();
            }
            Runtime.getRuntime().removeShutdownHook(hook);
            throw e;
        }
        if (detach) {
            Runtime.getRuntime().removeShutdownHook(hook);
            return;
        }
        progress.text("Ctrl-C stops the mesh.");
        watch();
        Runtime.getRuntime().removeShutdownHook(hook);
    }

    private void start() {
        try (var lock = HomeLock.take(home)) {
            Secrets secrets = Secrets.of(home);
            var runningServices = new ArrayList<ServiceName>();
            for (ServiceName service : ServiceName.all()) {
                if (processes.find(service).isPresent()) {
                    runningServices.add(service);
                }
            }
            Optional<KafkaServer> kafkaBefore = KafkaServer.find(infrastructure.kafka());
            Optional<PostgresServer> postgresBefore =
                    PostgresServer.find(infrastructure.postgres(secrets));
            Ports ports =
                    Ports.choose(
                            settings,
                            Ports.read(home),
                            runningParts(
                                    runningServices,
                                    kafkaBefore.isPresent(),
                                    postgresBefore.isPresent()),
                            FreePorts::isFree);
            ports.write(home);
            var started = new Started();
            try {
                startParts(ports, secrets, runningServices, started);
            } catch (RuntimeException e) {
                failed = true;
                if (!stopping) {
                    started.stopAll();
                }
                throw e;
            }
            announce(ports);
            if (settings.aot() && anyCacheMissing()) {
                Training.startInBackground(home, settings);
                progress.text(
                        "The next start is prepared in the background, for some minutes and at the lowest priority; it"
                                + " takes about a third as long. MESH_AOT=off leaves that out.\n");
            }
        }
    }

    private static Set<String> runningParts(
            List<ServiceName> services, boolean kafka, boolean postgres) {
        var parts = new TreeSet<String>();
        for (ServiceName service : services) {
            parts.add(service.id());
            parts.add(Ports.management(service));
        }
        if (kafka) {
            parts.add(Ports.KAFKA);
        }
        if (postgres) {
            parts.add(Ports.POSTGRES);
        }
        return parts;
    }

    /** What this start has begun, and so must end when it fails. */
    private final class Started {
        private final Map<String, Runnable> stops = new LinkedHashMap<>();

        synchronized void add(String part, Runnable stop) {
            stops.put(part, stop);
        }

        synchronized void stopAll() {
            for (Runnable stop : new ArrayList<>(stops.values()).reversed()) {
                stop.run();
            }
        }
    }

    private void startParts(
            Ports ports, Secrets secrets, List<ServiceName> running, Started started) {
        Executor threads = task -> Thread.ofPlatform().daemon().start(task);
        CompletableFuture<KafkaServer> kafka =
                CompletableFuture.supplyAsync(() -> startKafka(ports, started), threads);
        CompletableFuture<PostgresServer> postgres =
                CompletableFuture.supplyAsync(
                        () -> startPostgres(ports, secrets, started), threads);
        CompletableFuture<String> databaseId = postgres.thenApply(Migrations::databaseId);

        var applications = new Applications(settings.checkout(), home);
        var migrations = new Migrations(home, secrets);
        var slots =
                new Semaphore(
                        settings.parallel()
                                .orElse(Math.max(3, Runtime.getRuntime().availableProcessors())));
        var all = new ArrayList<CompletableFuture<?>>(List.of(kafka, postgres));
        CompletableFuture<Void> turn = CompletableFuture.completedFuture(null);
        CompletableFuture<Void> extracted = CompletableFuture.completedFuture(null);
        for (ServiceName service : ServiceName.all()) {
            if (!settings.services().contains(service) && !running.contains(service)) {
                continue;
            }
            if (running.contains(service)) {
                progress.line(service.module(), "runs already, port " + ports.service(service));
                all.add(
                        CompletableFuture.runAsync(
                                () -> awaitReady(service, ports, false), threads));
                continue;
            }
            CompletableFuture<Application> application =
                    extracted.thenApplyAsync(unused -> applications.extracted(service), threads);
            extracted = application.thenApply(unused -> null);
            // Services get their slots in order; each then migrates and starts while the next ones
            // do.
            CompletableFuture<Integer> taken =
                    CompletableFuture.allOf(turn, application, databaseId)
                            .thenComposeAsync(
                                    unused ->
                                            startsBesideKafka(service, application.join())
                                                    ? CompletableFuture.completedFuture(null)
                                                    : kafka,
                                    threads)
                            .thenApplyAsync(
                                    unused -> takeSlot(slots, service, application.join()),
                                    threads);
            turn = taken.thenRun(() -> {});
            all.add(
                    taken.thenAcceptAsync(
                                    unused ->
                                            startService(
                                                    service,
                                                    application.join(),
                                                    ports,
                                                    secrets,
                                                    migrations,
                                                    postgres.join(),
                                                    databaseId.join(),
                                                    started),
                                    threads)
                            .whenComplete((done, error) -> {
                                if (!taken.isCompletedExceptionally()) {
                                    slots.release(taken.join());
                                }
                            }));
        }
        var failure = new CompletableFuture<Void>();
        for (CompletableFuture<?> part : all) {
            var unused =
                    part.whenComplete((result, error) -> {
                        if (error != null) {
                            failed = true;
                            failure.completeExceptionally(error);
                        }
                    });
        }
        try {
            CompletableFuture.anyOf(
                            failure, CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)))
                    .join();
        } catch (CompletionException e) {
            // What is being started is stopped only after it has left its traces.
            kafka.handle((server, error) -> 0).join();
            postgres.handle((server, error) -> 0).join();
            // Nor is the database taken from under a migration; another one does not begin.
            migrating.writeLock().lock();
            migrating.writeLock().unlock();
            throw unwrap(e);
        }
    }

    /**
     * Whether the service may begin before Kafka answers, which it waits for at the end of its start. Without its topics it would
     * look for them again only half a minute later, and services that are not prepared would only take Kafka's time.
     */
    private boolean startsBesideKafka(ServiceName service, Application application) {
        return caches.has(service, application)
                && Topics.all().stream()
                        .allMatch(topic -> infrastructure.kafka().holds(topic.name()));
    }

    /** How many slots the service takes: none when it is prepared, for then waiting for each other takes longer. */
    private int takeSlot(Semaphore slots, ServiceName service, Application application) {
        int needed = settings.parallel().isEmpty() && caches.has(service, application) ? 0 : 1;
        slots.acquireUninterruptibly(needed);
        return needed;
    }

    private void startService(
            ServiceName service,
            Application application,
            Ports ports,
            Secrets secrets,
            Migrations migrations,
            PostgresServer postgres,
            String databaseId,
            Started started) {
        migrating.readLock().lock();
        try {
            checkGoingOn();
            migrations.migrate(service, application, postgres, databaseId);
        } finally {
            migrating.readLock().unlock();
        }
        synchronized (startGate) {
            checkGoingOn();
            processes.start(service, application, caches, ports, secrets);
            started.add(service.id(), () -> processes.stop(service, SERVICE_STOP_LIMIT));
        }
        awaitReady(service, ports, true);
    }

    private KafkaServer startKafka(Ports ports, Started started) {
        boolean ran = KafkaServer.find(infrastructure.kafka()).isPresent();
        KafkaServer server;
        synchronized (startGate) {
            checkGoingOn();
            if (!ran) {
                home.rotateLog(Ports.KAFKA);
                started.add(
                        Ports.KAFKA,
                        () ->
                                KafkaServer.find(infrastructure.kafka())
                                        .ifPresent(KafkaServer::stop));
            }
        }
        var kafka = infrastructure.kafka().withPort(ports.of(Ports.KAFKA));
        server = KafkaServer.start(settings.allTiers() ? kafka.withAllCompilers() : kafka);
        progress.line(
                Ports.KAFKA, (ran ? "runs already, port " : "ready on port ") + server.port());
        List<String> made = TopicSetup.createMissing(server.bootstrapServers(), LOCAL_TENANT);
        if (!made.isEmpty()) {
            progress.line("topics", made.size() + " created");
        }
        return server;
    }

    private PostgresServer startPostgres(Ports ports, Secrets secrets, Started started) {
        PostgresServer.Settings postgres =
                infrastructure.postgres(secrets).withPort(ports.of(Ports.POSTGRES));
        boolean ran = PostgresServer.find(postgres).isPresent();
        synchronized (startGate) {
            checkGoingOn();
            if (!ran) {
                home.rotateLog(Ports.POSTGRES);
                started.add(
                        Ports.POSTGRES,
                        () -> PostgresServer.find(postgres).ifPresent(PostgresServer::stop));
            }
        }
        PostgresServer server = PostgresServer.start(postgres);
        progress.line(
                Ports.POSTGRES, (ran ? "runs already, port " : "ready on port ") + server.port());
        return server;
    }

    private void awaitReady(ServiceName service, Ports ports, boolean announce) {
        long deadline = System.nanoTime() + settings.startLimit().toNanos();
        String detail = "";
        while (true) {
            Optional<ProcessRecord> process = processes.find(service);
            if (process.isEmpty()) {
                throw new MeshException(
                        service.module()
                                + " ended while it was starting. The end of "
                                + home.log(service.module())
                                + ":\n"
                                + processes.tail(service));
            }
            Readiness readiness = processes.readiness(service, ports);
            if (readiness.ready()) {
                if (announce) {
                    progress.line(service.module(), "ready on port " + ports.service(service));
                }
                return;
            }
            if (!readiness.stopped().isEmpty()) {
                throw new MeshException(service.module() + ": " + readiness.stopped());
            }
            detail = readiness.detail();
            checkGoingOn();
            if (System.nanoTime() > deadline) {
                throw new MeshException(
                        service.module()
                                + " was not ready within "
                                + settings.startLimit().toSeconds()
                                + " s ("
                                + detail
                                + "). The end of "
                                + home.log(service.module())
                                + ":\n"
                                + processes.tail(service));
            }
            pause(POLL);
        }
    }

    private boolean anyCacheMissing() {
        var applications = new Applications(settings.checkout(), home);
        return settings.services().stream()
                .anyMatch(service -> caches.isMissing(service, applications.extracted(service)));
    }

    private void announce(Ports ports) {
        String url = "http://127.0.0.1:" + ports.service(ServiceName.GATEWAY);
        String key = "-H " + quoted("x-api-key: " + settings.apiKey());
        progress.text(
                """

                The mesh is up after %.1f s.

                  gateway      %s   (health: %s/health, metrics: %s/metrics)
                  key          %s   (tenant %s)
                  Kafka        127.0.0.1:%d
                  PostgreSQL   127.0.0.1:%d, database mirante (owner's password: %s)
                  data, logs   %s

                Try:
                  curl %s -H 'content-type: application/json' %s/api/v1/events -d '{"event": {"user_id": "ana", "event_type": {"type": "PageView", "data": {"url": "/products", "title": "Products"}}}}'
                  curl %s %s/api/v1/users/ana
                  curl %s %s/api/v1/analytics/overview
                  ./mesh demo      plays a shop, a support desk and a few machines, and prints what came of it
                  ./mesh status    what runs; ./mesh logs SERVICE; ./mesh down stops it
                """
                        .formatted(
                                progress.elapsed().toMillis() / 1000.0,
                                url,
                                url,
                                url,
                                settings.apiKey(),
                                settings.tenant(),
                                ports.of(Ports.KAFKA),
                                ports.of(Ports.POSTGRES),
                                home.keys().resolve("passwords.properties"),
                                home.folder(),
                                key,
                                url,
                                key,
                                url,
                                key,
                                url));
    }

    /** As one word of a shell. */
    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }

    /** Stays until every part has ended, and tells when one ends by itself. */
    private void watch() {
        var alive = new TreeSet<>(ServiceName.all());
        while (!stopping) {
            List<ServiceName> ended =
                    alive.stream().filter(service -> processes.find(service).isEmpty()).toList();
            if (!ended.isEmpty()) {
                // Another command may be stopping the mesh; it ends what is left in a moment.
                pause(WATCH);
            }
            if (KafkaServer.find(infrastructure.kafka()).isEmpty()
                    && ServiceName.all().stream()
                            .noneMatch(service -> processes.find(service).isPresent())) {
                progress.text("The mesh was stopped.");
                return;
            }
            if (HomeLock.holder(home).isEmpty()) {
                for (ServiceName service : ended) {
                    alive.remove(service);
                    progress.line(
                            service.module(),
                            "ended, see "
                                    + home.log(service.module())
                                    + "; ./mesh up starts it again");
                }
            }
            pause(WATCH);
        }
        awaitEnd();
    }

    /** Runs when the launcher is told to end: stops everything. */
    private void stopOnSignal() {
        synchronized (startGate) {
            stopping = true;
        }
        progress.text("\nStopping the mesh");
        var shutdown = new Shutdown(home, settings, progress);
        for (int round = 0; round < STOP_ROUNDS && shutdown.stopAll() > 0; round++) {
            // A process that was just being started may have been missed.
            pause(POLL);
        }
    }

    private void checkGoingOn() {
        if (stopping || failed) {
            throw new MeshException("stopped");
        }
    }

    private static RuntimeException unwrap(CompletionException e) {
        Throwable cause = e.getCause();
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof MeshException known) {
            return known;
        }
        if (cause instanceof EmbeddedServerException embedded) {
            return new MeshException(String.valueOf(embedded.getMessage()), embedded);
        }
        return new MeshException("the mesh did not start: " + cause, cause);
    }

    /** The process is ending: the shutdown hook does the rest. */
    private static void awaitEnd() {
        pause(Duration.ofMinutes(5));
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted", e);
        }
    }
}
