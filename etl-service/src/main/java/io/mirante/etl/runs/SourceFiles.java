package io.mirante.etl.runs;

import io.mirante.platform.erasure.PersonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** Files of sources that were uploaded; readable by this service alone. Thread-safe. */
@Component
public final class SourceFiles {

    private final Path folder;

    SourceFiles(@Value("${mirante.files}") Path files) {
        this.folder = files.resolve("sources").toAbsolutePath().normalize();
    }

    /** A place for a new one. */
    Path create() throws IOException {
        Files.createDirectories(folder);
        return Files.createFile(folder.resolve(UUID.randomUUID().toString()));
    }

    /** One that was created; it may be gone. */
    public Path find(String name) {
        return folder.resolve(UUID.fromString(name).toString());
    }

    /** Deletes one, and what an erasure that was killed left of it. */
    boolean delete(String name) throws IOException {
        PersonFiles.dropRests(find(name));
        return Files.deleteIfExists(find(name));
    }
}
