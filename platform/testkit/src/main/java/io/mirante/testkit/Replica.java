package io.mirante.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A service in a JVM of its own. Killed when closed. */
public final class Replica implements AutoCloseable {

    private static final Pattern PORT = Pattern.compile("Netty started on port (\\d+)");

    private final Process process;
    private final Path log;

    Replica(Process process, Path log) {
        this.process = process;
        this.log = log;
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** Whether it has started and serves. */
    public boolean isReady() {
        return process.isAlive() && text().contains("Started ");
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** The port of its REST API, once ready. */
    public int port() {
        var matcher = PORT.matcher(text());
        if (!matcher.find()) {
            throw new IllegalStateException("not serving yet; its log: " + log);
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** kill -9. */
    public void kill() {
        process.destroyForcibly();
        awaitExit(Duration.ofSeconds(10));
    }

    /** SIGTERM, then waits for its end. */
    public void terminate() {
        process.destroy();
        awaitExit(Duration.ofSeconds(30));
    }

    /**
     * Waits for its end.
     *
     * @return the exit code
     */
    public int awaitExit(Duration limit) {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(
                        "still running after " + limit + "; its log: " + log);
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** What it has logged so far. */
    public String text() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}
