package io.mirante.ingestion.imports;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** Files that wait for their import or are in it; readable by this service alone. Thread-safe. */
@Component
final class Uploads {

    private final Path folder;

    Uploads(@Value("${mirante.files}") Path files) {
        this.folder = files.resolve("uploads").toAbsolutePath().normalize();
    }

    /** A place for a new one. */
    Path create() throws IOException {
        Files.createDirectories(folder);
        return Files.createFile(folder.resolve(UUID.randomUUID().toString()));
    }

    /** One that was created; it may be gone. */
    Path find(String name) {
        return folder.resolve(UUID.fromString(name).toString());
    }
}
