package io.mirante.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A process by number and instant of start, so that another process that was given the same number later is never taken
 * for it.
 *
 * @param pid the process's number, positive
 * @param startedAt when it started, as the system tells
 */
public record ProcessRecord(long pid, Instant startedAt) {
    /** The system's clock may be adjusted by this much between two readings of the same start. */
    private static final Duration TOLERANCE = Duration.ofSeconds(3);

    private static final Duration POLL = Duration.ofMillis(20);

    public ProcessRecord {
        if (pid <= 0) {
            throw new IllegalArgumentException("pid must be positive, was " + pid);
        }
    }

    public static ProcessRecord of(ProcessHandle process) {
        return new ProcessRecord(
                process.pid(), process.info().startInstant().orElseGet(Instant::now));
    }

    /** The record in {@code file}; empty when there is none or it is damaged. */
    public static Optional<ProcessRecord> read(Path file) {
        try {
            String[] fields = Files.readString(file).strip().split(" ");
            return fields.length == 2
                    ? Optional.of(
                            new ProcessRecord(Long.parseLong(fields[0]), Instant.parse(fields[1])))
                    : Optional.empty();
        } catch (NoSuchFileException none) {
            return Optional.empty();
        } catch (IOException | RuntimeException damaged) {
            return Optional.empty();
        }
    }

    /** Replaces {@code file} in one step. */
    public void write(Path file) {
        try {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            Files.writeString(fresh, pid + " " + startedAt + "\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new EmbeddedServerException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /** The running process, if it is still this one. A process that has ended but was not reaped counts as gone. */
    public Optional<ProcessHandle> handle() {
        return ProcessHandle.of(pid).filter(ProcessRecord::isRunning).filter(this::isSame);
    }

    public boolean isAlive() {
        return handle().isPresent();
    }

    /** Sends a signal ({@code INT}, {@code TERM}, {@code KILL} …) if the process is still this one. */
    public void signal(String name) {
        if (!isAlive()) {
            return;
        }
        try {
            new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new EmbeddedServerException(
                    "cannot signal process " + pid + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedServerException("interrupted while signalling process " + pid, e);
        }
    }

    /** Waits until the process has ended; false when it still runs after {@code limit}. */
    public boolean awaitExit(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (isAlive()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EmbeddedServerException(
                        "interrupted while waiting for process " + pid, e);
            }
        }
        return true;
    }

    /** An ended process whose parent has not asked for its result: where process 1 never asks, it stays for ever. */
    private static boolean isDefunct(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
            return stat.startsWith(" Z", stat.lastIndexOf(')') + 1);
        } catch (IOException noProc) {
            return false;
        }
    }

    /** Like {@link ProcessHandle#isAlive()}, but false for a process that has ended and was not reaped. */
    static boolean isRunning(ProcessHandle process) {
        return process.isAlive() && !isDefunct(process);
    }

    private boolean isSame(ProcessHandle process) {
        return process.info()
                .startInstant()
                .map(start -> Duration.between(start, startedAt).abs().compareTo(TOLERANCE) <= 0)
                .orElse(false);
    }
}
