package io.mirante.local;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import io.mirante.embedded.ProcessRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Stops a mesh: first the training, then the services at once, then Kafka, then PostgreSQL; only its own processes. */
final class Shutdown {
    private static final Duration SERVICE_LIMIT = Duration.ofSeconds(20);

    private final Home home;
    private final ServiceProcesses processes;
    private final Infrastructure infrastructure;
    private final Progress progress;

    Shutdown(Home home, MeshSettings settings, Progress progress) {
        this.home = home;
        this.processes = new ServiceProcesses(home, settings);
        this.infrastructure = new Infrastructure(home);
        this.progress = progress;
    }

    /** Stops what runs; returns how many parts did. */
    int stopAll() {
        stopTraining();
        List<ServiceName> running =
                ServiceName.all().stream()
                        .filter(service -> processes.find(service).isPresent())
                        .toList();
        var threads = new ArrayList<Thread>();
        for (ServiceName service : running) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                processes.stop(service, SERVICE_LIMIT);
                                progress.line(service.module(), "stopped");
                            }));
        }
        for (Thread thread : threads) {
            joinUninterruptibly(thread);
        }
        int stopped = running.size();
        Optional<KafkaServer> kafka = KafkaServer.find(infrastructure.kafka());
        if (kafka.isPresent()) {
            kafka.get().stop();
            progress.line(Ports.KAFKA, "stopped");
            stopped++;
        }
        Optional<PostgresServer> postgres = findPostgres();
        if (postgres.isPresent()) {
            postgres.get().stop();
            progress.line(Ports.POSTGRES, "stopped");
            stopped++;
        }
        return stopped;
    }

    private Optional<PostgresServer> findPostgres() {
        return home.exists()
                ? PostgresServer.find(infrastructure.postgres(Secrets.of(home)))
                : Optional.empty();
    }

    private void stopTraining() {
        Path file = home.run().resolve(Training.PID_FILE);
        Optional<ProcessRecord> trainer = ProcessRecord.read(file).filter(ProcessRecord::isAlive);
        if (trainer.isEmpty()) {
            return;
        }
        List<ProcessHandle> children =
                trainer.get()
                        .handle()
                        .map(handle -> handle.descendants().toList())
                        .orElse(List.of());
        trainer.get().signal("KILL");
        children.forEach(ProcessHandle::destroyForcibly);
        trainer.get().awaitExit(SERVICE_LIMIT);
    }

    private static void joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
