package io.mirante.etl.quality;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files packed with gzip (RFC 1952), by their first bytes. */
public final class Gzip {

    private Gzip() {}

    /** Whether a file is one. */
    public static boolean is(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return in.read() == 0x1f && in.read() == 0x8b;
        }
    }
}
