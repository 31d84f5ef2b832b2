package io.mirante.ingestion.imports;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The ids of a file and the line where each came first, in a file beside it, so that memory stays the same: a hash table of
 * 64 bits of SHA-256 and a line number, mapped. Survives a crash of the process, so that a second run knows the same. Two
 * of a hundred million ids are taken for one with a probability of 3 in 10,000. Used by one thread.
 */
final class SeenIds {

    private static final int SLOT_LONGS = 2;
    private static final int FIRST_SLOTS = 1 << 16;

    /** A mapped buffer holds less than 2 GiB. */
    private static final int MAX_SLOTS = 1 << 26;

    private final Path file;
    private final MessageDigest digest;
    private LongBuffer table;
    private int slots;
    private int used;

    SeenIds(Path file) throws IOException {
        this.file = file;
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        long size = Files.exists(file) ? Files.size(file) : 0;
        this.slots = size == 0 ? FIRST_SLOTS : Math.toIntExact(size / (SLOT_LONGS * Long.BYTES));
        this.table = map(file, slots);
        for (int i = 0; i < slots; i++) {
            used += table.get(i * SLOT_LONGS) == 0 ? 0 : 1;
        }
    }

    private static LongBuffer map(Path file, int slots) throws IOException {
        try (var channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            return channel.map(
                            FileChannel.MapMode.READ_WRITE,
                            0,
                            (long) slots * SLOT_LONGS * Long.BYTES)
                    .asLongBuffer();
        }
    }

    /** Whether the id came in an earlier line of the file; remembers it otherwise. */
    boolean repeats(String id, long line) throws IOException {
        long hash = hash(id);
        int slot = slotOf(table, slots, hash);
        if (table.get(slot * SLOT_LONGS) == hash) {
            return table.get(slot * SLOT_LONGS + 1) < line;
        }
        if (used >= slots / 10 * 6) {
            grow();
            slot = slotOf(table, slots, hash);
        }
        put(table, slot, hash, line);
        used++;
        return false;
    }

    private static void put(LongBuffer table, int slot, long hash, long line) {
        table.put(slot * SLOT_LONGS + 1, line);
        table.put(slot * SLOT_LONGS, hash);
    }

    private static int slotOf(LongBuffer table, int slots, long hash) {
        int slot = (int) (hash & (slots - 1));
        while (table.get(slot * SLOT_LONGS) != 0 && table.get(slot * SLOT_LONGS) != hash) {
            slot = (slot + 1) & (slots - 1);
        }
        return slot;
    }

    private void grow() throws IOException {
        if (slots >= MAX_SLOTS) {
            throw new IOException(
                    "the file has more than %d ids; import it in parts".formatted(used));
        }
        var larger = file.resolveSibling(file.getFileName() + ".larger");
        Files.deleteIfExists(larger);
        int more = slots * 2;
        var next = map(larger, more);
        for (int i = 0; i < slots; i++) {
            long hash = table.get(i * SLOT_LONGS);
            if (hash != 0) {
                put(next, slotOf(next, more, hash), hash, table.get(i * SLOT_LONGS + 1));
            }
        }
        Files.move(larger, file, StandardCopyOption.REPLACE_EXISTING);
        table = next;
        slots = more;
    }

    private long hash(String id) {
        long hash = ByteBuffer.wrap(digest.digest(id.getBytes(StandardCharsets.UTF_8))).getLong();
        return hash == 0 ? 1 : hash;
    }

    /** Removes the file; not used afterwards. */
    void delete() throws IOException {
        Files.deleteIfExists(file);
    }
}
