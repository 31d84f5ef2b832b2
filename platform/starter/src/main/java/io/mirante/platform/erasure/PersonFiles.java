package io.mirante.platform.erasure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Takes a person out of files of text. */
public final class PersonFiles {

    private PersonFiles() {}

    /**
     * Removes the lines that name a person; a file that is no text after all goes whole.
     *
     * @return whether the file changed
     */
    public static boolean removeLines(Path file, String userId) throws IOException {
        boolean named;
        try (var lines = Files.lines(file)) {
            named = lines.anyMatch(line -> line.contains(userId));
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof MalformedInputException) {
                return Files.deleteIfExists(file);
            }
            throw e;
        }
        if (!named) {
            return false;
        }
        var next = file.resolveSibling(file.getFileName() + ".erasing");
        try (var lines = Files.lines(file);
                var out = Files.newBufferedWriter(next, StandardCharsets.UTF_8)) {
            for (var line : (Iterable<String>) lines::iterator) {
                if (!line.contains(userId)) {
                    out.write(line);
                    out.write('\n');
                }
            }
        }
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }
}
