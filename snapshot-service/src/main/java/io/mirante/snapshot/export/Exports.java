package io.mirante.snapshot.export;

import io.mirante.snapshot.CountedUpTo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Component;

/** Makes files of data sets. Thread-safe; blocks. */
@Component
final class Exports {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final List<Dataset> datasets;
    private final CountedUpTo countedUpTo;

    Exports(List<Dataset> datasets, CountedUpTo countedUpTo) {
        this.datasets = List.copyOf(datasets);
        this.countedUpTo = countedUpTo;
    }

    /**
     * A file that was made.
     *
     * @param asOf every event accepted before it is counted
     */
    record Written(Path file, long rows, Instant asOf) {}

    Collection<Dataset> datasets() {
        return datasets;
    }

    /**
     * Makes the file, or nothing.
     *
     * @param pulse called again and again; what it throws ends the work
     */
    Written write(String tenant, Export export, Path target, Runnable pulse)
            throws SQLException, IOException {
        var asOf = Objects.requireNonNull(countedUpTo.now().block(LIMIT));
        var dataset = datasets.stream().filter(d -> d.name().equals(export.dataset())).findFirst();
        boolean whole = false;
        try (var file = new ExportFile(target, export.format())) {
            dataset.orElseThrow().write(tenant, export.wanted(), file, pulse);
            whole = true;
            return new Written(target, file.rows(), asOf);
        } finally {
            if (!whole) {
                Files.deleteIfExists(target);
            }
        }
    }
}
