package io.mirante.bench.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * What a client knows about its events: A acknowledged, R refused, U unknown (no answer, a reset, a 5xx). A line per
 * attempt, fsynced before the next attempt, so that the ledger survives whatever the test kills. Thread-safe.
 */
final class Ledger implements AutoCloseable {
    private final FileChannel file;
    private final Set<String> acknowledged = new HashSet<>();
    private final Set<String> refused = new HashSet<>();
    private final Set<String> unknown = new HashSet<>();

    Ledger(Path path) {
        try {
            Files.createDirectories(path.getParent());
            file =
                    FileChannel.open(
                            path,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    synchronized void write(Collection<String> ids, char outcome) {
        StringBuilder lines = new StringBuilder();
        for (String id : ids) {
            lines.append(outcome).append(' ').append(id).append('\n');
        }
        try {
            file.write(ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8)));
            file.force(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        switch (outcome) {
            case 'A' -> acknowledged.addAll(ids);
            case 'R' -> refused.addAll(ids);
            case 'U' -> unknown.addAll(ids);
            default -> throw new IllegalArgumentException("outcome " + outcome);
        }
    }

    synchronized Set<String> acknowledged() {
        return Set.copyOf(acknowledged);
    }

    /** Acknowledged in some attempt, or unknown in some: all that may be stored. */
    synchronized Set<String> possible() {
        Set<String> all = new HashSet<>(acknowledged);
        all.addAll(unknown);
        return all;
    }

    /** Refused, and never accepted in another attempt. */
    synchronized Set<String> refused() {
        Set<String> only = new HashSet<>(refused);
        only.removeAll(acknowledged);
        return only;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
