package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.remote.Fetched;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/** What a run fetched, for a later attempt of it: a list with sizes and checksums, written when all is there. Used by one thread. */
final class FetchedFiles {

    private static final String LIST = "list.json";

    private FetchedFiles() {}

    /**
     * What is in a folder.
     *
     * @param at when it was fetched
     */
    record Found(Fetched fetched, Instant at) {}

    private record Listed(
            String key,
            Instant at,
            FileFormat format,
            @Nullable String watermark,
            List<Entry> files) {}

    private record Entry(String name, long bytes, long crc32c) {}

    /**
     * Notes that a folder is complete.
     *
     * @param key of what was read, and from where on
     * @param at when
     */
    static void complete(Path folder, String key, Fetched fetched, Instant at) throws IOException {
        var entries = new ArrayList<Entry>();
        for (var file : fetched.files()) {
            entries.add(new Entry(file.getFileName().toString(), Files.size(file), checksum(file)));
        }
        var list = new Listed(key, at, fetched.format(), fetched.watermark(), entries);
        var next = folder.resolve(LIST + ".next");
        Files.write(next, Json.mapper().writeValueAsBytes(list));
        Files.move(
                next,
                folder.resolve(LIST),
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
    }

    /** What is in a folder; null when that is not complete, not as it was, or of something else. Its time begins anew. */
    static @Nullable Found find(Path folder, String key) throws IOException {
        var file = folder.resolve(LIST);
        if (!Files.exists(file)) {
            return null;
        }
        Listed list;
        try {
            list = Json.mapper().readValue(Files.readAllBytes(file), Listed.class);
        } catch (JacksonException e) {
            return null;
        }
        if (!list.key().equals(key)) {
            return null;
        }
        var files = new ArrayList<Path>();
        for (var entry : list.files()) {
            var fetched = folder.resolve(entry.name());
            if (!Files.exists(fetched)
                    || Files.size(fetched) != entry.bytes()
                    || checksum(fetched) != entry.crc32c()) {
                return null;
            }
            files.add(fetched);
        }
        Files.setLastModifiedTime(folder, FileTime.from(Instant.now()));
        return new Found(new Fetched(files, list.format(), list.watermark()), list.at());
    }

    private static long checksum(Path file) throws IOException {
        var sum = new CRC32C();
        try (var in = new CheckedInputStream(Files.newInputStream(file), sum)) {
            var buffer = new byte[1 << 16];
            while (in.read(buffer) >= 0) {
                // the sum is what it is read for
            }
        }
        return sum.getValue();
    }
}
