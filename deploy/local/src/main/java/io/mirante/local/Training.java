package io.mirante.local;

import io.mirante.embedded.ProcessRecord;
import io.mirante.local.Applications.Application;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Trains the class caches that are missing of the services that are started, one service after the other, at the lowest priority. A training run starts the
 * service until it is ready, so that the cache has all that a start needs, on a {@link TrainingMesh} of its own: nothing of it
 * reaches the mesh that runs.
 */
final class Training {
    static final String PID_FILE = "training.pid";

    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final String FOLDER = "mesh.new";
    private static final int NICENESS = 19;
    private static final String LOG = "training";

    private final Home home;
    private final MeshSettings settings;
    private final ServiceProcesses processes;
    private final AotCaches caches;

    Training(Home home, MeshSettings settings) {
        this.home = home;
        this.settings = settings;
        this.processes = new ServiceProcesses(home, settings);
        this.caches = new AotCaches(home, settings);
    }

    /** Starts a process that trains and goes on when this one ends. */
    static void startInBackground(Home home, MeshSettings settings) {
        Path pidFile = home.run().resolve(PID_FILE);
        if (ProcessRecord.read(pidFile).filter(ProcessRecord::isAlive).isPresent()) {
            return;
        }
        var command = new ArrayList<String>();
        command.addAll(
                List.of(
                        Jvm.java(),
                        "-Xmx96m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-Dmirante.checkout=" + settings.checkout(),
                        Mesh.class.getName(),
                        "train"));
        try {
            Path log = home.rotateLog(LOG);
            var builder = new ProcessBuilder(Jvm.inOwnSession(NICENESS, command));
            builder.directory(settings.checkout().toFile());
            builder.redirectErrorStream(true);
            builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            builder.redirectInput(Path.of("/dev/null").toFile());
            builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            builder.environment().put("MIRANTE_HOME", home.folder().toString());
            ProcessRecord.of(builder.start().toHandle()).write(pidFile);
        } catch (IOException e) {
            throw new MeshException(
                    "cannot start the training of class caches: " + e.getMessage(), e);
        }
    }

    /** Trains what is missing; one that fails is reported and the next is tried. */
    void run() {
        removeUnfinished();
        var applications = new Applications(settings.checkout(), home);
        var progress = new Progress(System.out);
        Map<ServiceName, Application> missing = new LinkedHashMap<>();
        // The gateway first: the others read what it publishes of tenants.
        for (ServiceName service : ServiceName.all().reversed()) {
            if (!settings.services().contains(service)) {
                continue;
            }
            Application application = applications.extracted(service);
            if (caches.isMissing(service, application)) {
                missing.put(service, application);
            }
        }
        if (missing.isEmpty()) {
            return;
        }
        try (var mesh = TrainingMesh.start(home.aot().resolve(FOLDER), settings)) {
            missing.forEach((service, application) -> {
                try {
                    train(service, application, mesh, progress);
                    progress.line(service.module(), "class cache trained");
                } catch (IOException | MeshException e) {
                    progress.line(service.module(), "class cache not trained: " + e.getMessage());
                }
            });
        }
    }

    /** What a training left that was cut short. */
    private void removeUnfinished() {
        try (var files = Files.newDirectoryStream(home.aot(), "*.new*")) {
            for (Path file : files) {
                Home.deleteTree(file);
            }
        } catch (IOException e) {
            throw new MeshException("cannot clean " + home.aot() + ": " + e.getMessage(), e);
        }
    }

    private void train(
            ServiceName service, Application application, TrainingMesh mesh, Progress progress)
            throws IOException {
        Map<String, String> environment = mesh.environment(service, application);
        prepareBeans(service, application, environment, progress);
        Path cache = caches.file(service, application);
        Path fresh = cache.resolveSibling(cache.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        var command = new ArrayList<String>();
        command.add(Jvm.java());
        command.addAll(Jvm.flags(settings, service));
        command.add("-XX:AOTCacheOutput=" + fresh);
        command.addAll(caches.run(service, application));
        int code = run(service, command, environment, () -> mesh.isReady(service));
        if (!Files.exists(fresh)) {
            throw new MeshException(
                    "no cache written (exit code " + code + "), see " + log(service));
        }
        Files.move(fresh, cache, StandardCopyOption.ATOMIC_MOVE);
        caches.keepOnly(service, application);
    }

    /** Without them the class cache is trained for the usual start. */
    private void prepareBeans(
            ServiceName service,
            Application application,
            Map<String, String> environment,
            Progress progress)
            throws IOException {
        Path beans = caches.beans(service, application);
        if (Files.exists(beans) || SpringBeans.haveOtherSources(System.getenv(), home.folder())) {
            return;
        }
        try {
            SpringBeans.prepare(
                    service, application, beans, command -> run(service, command, environment));
        } catch (MeshException e) {
            progress.line(
                    service.module(),
                    "bean definitions not prepared: " + e.getMessage() + ", see " + log(service));
        }
    }

    private Path log(ServiceName service) {
        return home.log(LOG + "-" + service.id());
    }

    private int run(ServiceName service, List<String> command, Map<String, String> environment)
            throws IOException {
        return run(service, command, environment, () -> false);
    }

    /** Runs a command to its end, which it is asked to come to when it is done. */
    private int run(
            ServiceName service,
            List<String> command,
            Map<String, String> environment,
            BooleanSupplier done)
            throws IOException {
        Process process = processes.builder(NICENESS, command, log(service), environment).start();
        long deadline = System.nanoTime() + LIMIT.toNanos();
        boolean asked = false;
        try {
            while (!process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS)) {
                if (System.nanoTime() > deadline) {
                    process.destroyForcibly();
                    throw new MeshException("took longer than " + LIMIT);
                }
                if (!asked && done.getAsBoolean()) {
                    process.destroy();
                    asked = true;
                }
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted", e);
        }
    }
}
