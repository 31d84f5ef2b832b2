package io.mirante.bench.endtoend;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;

/**
 * What a client knows about its events: A acknowledged, R refused, U unknown (no answer, a reset, a 5xx). A line per
 * attempt (outcome, tenant, event id, hash of the body), fsynced before the next attempt, so that the ledger survives
 * whatever the test kills. Thread-safe.
 */
final class Ledger implements AutoCloseable {
    private final FileChannel file;
    private final Set<Key> acknowledged = new HashSet<>();
    private final Set<Key> refused = new HashSet<>();
    private final Set<Key> unknown = new HashSet<>();

    /** Names an event: ids are unique within a tenant. */
    record Key(String tenant, String id) {}

    /**
     * An event that is sent.
     *
     * @param json as it stands in the request
     */
    record Sent(String tenant, String id, byte[] json) {

        Key key() {
            return new Key(tenant, id);
        }

        /** The first 16 hexadecimal digits of the body's SHA-256. */
        String hash() {
            try {
                return HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(json), 0, 8);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }

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

    void write(Collection<Sent> events, char outcome) {
        if (events.isEmpty()) {
            return;
        }
        StringBuilder lines = new StringBuilder();
        for (Sent event : events) {
            lines.append(outcome)
                    .append(' ')
                    .append(event.tenant())
                    .append(' ')
                    .append(event.id())
                    .append(' ')
                    .append(event.hash())
                    .append('\n');
        }
        append(lines);
        var keys = events.stream().map(Sent::key).toList();
        synchronized (this) {
            switch (outcome) {
                case 'A' -> acknowledged.addAll(keys);
                case 'R' -> refused.addAll(keys);
                case 'U' -> unknown.addAll(keys);
                default -> throw new IllegalArgumentException("outcome " + outcome);
            }
        }
    }

    private void append(CharSequence lines) {
        try {
            synchronized (file) {
                file.write(ByteBuffer.wrap(lines.toString().getBytes(StandardCharsets.UTF_8)));
            }
            file.force(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    synchronized Set<Key> acknowledged() {
        return Set.copyOf(acknowledged);
    }

    synchronized int countAcknowledged() {
        return acknowledged.size();
    }

    /** Acknowledged in some attempt, or unknown in some: all that may be stored. */
    synchronized Set<Key> possible() {
        Set<Key> all = new HashSet<>(acknowledged);
        all.addAll(unknown);
        return all;
    }

    /** Refused, and never accepted in another attempt. */
    synchronized Set<Key> refused() {
        Set<Key> only = new HashSet<>(refused);
        only.removeAll(acknowledged);
        return only;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
