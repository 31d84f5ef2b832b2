package io.mirante.ingestion.imports;

import io.mirante.contracts.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * How far an import has come: everything before {@code place} is stored by Kafka and counted.
 *
 * @param reportBytes length of the report up to here
 */
record Checkpoint(
        Lines.Place place,
        long read,
        long accepted,
        long duplicates,
        long rejected,
        long reportBytes) {

    static final Checkpoint BEGIN = new Checkpoint(Lines.Place.BEGIN, 0, 0, 0, 0, 0);

    /** The one in a file; the beginning when there is none. */
    static Checkpoint of(Path file) throws IOException {
        return Files.exists(file)
                ? Json.mapper().readValue(Files.readAllBytes(file), Checkpoint.class)
                : BEGIN;
    }

    /** Writes it, complete or not at all. */
    void write(Path file) throws IOException {
        var part = file.resolveSibling(file.getFileName() + ".part");
        Files.write(part, Json.mapper().writeValueAsBytes(this));
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
