package io.mirante.snapshot.lake;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.testkit.Mesh;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.springframework.context.ApplicationContext;

/** What a tenant's lake holds, for tests of whatever changes rows. */
public final class LakeProbe {

    private static final Comparator<LakeRow> BY_ID =
            Comparator.comparing(LakeRow::eventId).thenComparing(LakeRow::personNo);

    private final Mesh mesh;
    private final KeepLake keeper;
    private final LakeManifest manifest;
    private final LakeSettings settings;

    public LakeProbe(Mesh mesh, ApplicationContext context) {
        this.mesh = mesh;
        this.keeper = context.getBean(KeepLake.class);
        this.manifest = context.getBean(LakeManifest.class);
        this.settings = context.getBean(LakeSettings.class);
    }

    /** Writes all rows of the tenant's. */
    public void keep(String tenant) {
        keeper.keep(tenant);
    }

    /** How many rows its files hold. */
    public int size(String tenant) {
        return files(tenant).size();
    }

    /** What is in files and what is not yet are together the rows, each once and as it is. */
    public void assertEachRowOnce(String tenant) throws SQLException {
        var together = new ArrayList<>(files(tenant));
        together.addAll(tail(tenant));
        assertThat(sorted(together)).isEqualTo(sorted(rows(tenant, 0)));
    }

    /** Rows of the manifest's files, by person and time. */
    List<LakeRow> files(String tenant) {
        return read(manifest.files(tenant));
    }

    List<LakeRow> read(List<LakeFile> files) {
        try (var reader = new LakeWriter(new LakeFolder(settings.folder()), "")) {
            return reader.read(files);
        }
    }

    /** Takes the rows of all files for new, as a rebuild does. */
    public void sendBack(String tenant) {
        manifest.sendBack(
                tenant, manifest.files(tenant).stream().map(LakeFile::day).distinct().toList());
    }

    /** Where its files are. */
    public List<Path> paths(String tenant) {
        return manifest.files(tenant).stream()
                .map(file -> new LakeFolder(settings.folder()).path(file.file()))
                .toList();
    }

    /** How many rows are in no file yet. */
    public int waiting(String tenant) throws SQLException {
        return tail(tenant).size();
    }

    /** Rows that are in no file yet. */
    List<LakeRow> tail(String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT max(flushed_no) FROM lake_tenant WHERE tenant_id = ?")) {
            query.setString(1, tenant);
            var row = query.executeQuery();
            row.next();
            return rows(tenant, row.getLong(1));
        }
    }

    /** Rows of PostgreSQL behind a number. */
    List<LakeRow> rows(String tenant, long after) {
        var rows = new ArrayList<LakeRow>();
        manifest.rows(tenant, after, Long.MAX_VALUE, Integer.MAX_VALUE, rows::add);
        return rows;
    }

    static List<LakeRow> sorted(Collection<LakeRow> rows) {
        return rows.stream().sorted(BY_ID).toList();
    }
}
