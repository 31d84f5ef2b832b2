package io.mirante.ingestion.imports;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.FieldError;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What was not taken, one JSON object a line, in the order of the file. Used by one thread. */
final class Report implements AutoCloseable {

    static final String NAME = "report.ndjson";

    private final FileChannel channel;
    private final OutputStream out;

    /** One line of it. */
    record Entry(long line, @Nullable String eventId, List<FieldError> errors) {}

    /** Goes on at a length: what a run that broke off wrote behind it is cut off. */
    Report(Path file, long from) throws IOException {
        this.channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        channel.truncate(from);
        channel.position(from);
        this.out = new BufferedOutputStream(Channels.newOutputStream(channel));
    }

    void add(Entry entry) throws IOException {
        out.write(Json.mapper().writeValueAsBytes(entry));
        out.write('\n');
    }

    /** Its length, all of it written. */
    long bytes() throws IOException {
        out.flush();
        return channel.position();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
