package io.mirante.snapshot.export;

import io.mirante.contracts.Json;
import io.mirante.snapshot.export.ExportColumn.Type;
import io.mirante.snapshot.windows.Windows;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.springframework.stereotype.Component;

/** Windows that begin in the range, of all scopes, with their additive metrics. */
@Component
final class SnapshotsDataset implements Dataset {

    private static final List<ExportColumn> COLUMNS =
            List.of(
                    new ExportColumn("scope", Type.TEXT),
                    new ExportColumn("granularity", Type.TEXT),
                    new ExportColumn("start", Type.TIME),
                    new ExportColumn("end", Type.TIME),
                    new ExportColumn("dimensions", Type.TEXTS),
                    new ExportColumn("metrics", Type.AMOUNTS),
                    new ExportColumn("revision", Type.INTEGER),
                    new ExportColumn("as_of", Type.TIME));

    private final Windows windows;

    SnapshotsDataset(Windows windows) {
        this.windows = windows;
    }

    @Override
    public String name() {
        return "snapshots";
    }

    @Override
    public Set<Filter> filters() {
        return EnumSet.of(Filter.TIMES);
    }

    @Override
    public void write(String tenant, Export.Wanted wanted, ExportFile file, Runnable pulse)
            throws SQLException {
        file.begin(COLUMNS);
        windows.each(
                tenant,
                wanted.range(),
                row -> {
                    pulse.run();
                    file.add(
                            Arrays.asList(
                                    row.scope(),
                                    row.granularity(),
                                    row.start(),
                                    row.end(),
                                    Json.mapper().writeValueAsString(row.dimensions()),
                                    Json.mapper().writeValueAsString(row.metrics()),
                                    row.revision(),
                                    row.asOf()));
                });
        file.finish(null);
    }
}
