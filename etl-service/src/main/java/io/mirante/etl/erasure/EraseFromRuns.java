package io.mirante.etl.erasure;

import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.runs.Quotes;
import io.mirante.etl.runs.SourceFiles;
import io.mirante.etl.runs.Suppression;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
import io.mirante.platform.erasure.PersonFiles;
import io.mirante.platform.erasure.PersonRows;
import io.mirante.platform.persistence.TenantDatabase;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Component;

/**
 * Takes a person out of what was uploaded for runs, and out of what runs loaded and found. Rows that name them go ({@link NamedRows}). A
 * report that quotes them loses its samples and most frequent values.
 */
@Component
final class EraseFromRuns {

    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Duration READING = Duration.ofMinutes(31);

    private final SourceFiles files;
    private final TenantDatabase database;

    EraseFromRuns(SourceFiles files, TenantDatabase database) {
        this.files = files;
        this.database = database;
    }

    private record Upload(String format, String file) {}

    /** Blocks, as long as it takes. */
    Erased erase(Target person, PersonFiles rows) throws IOException {
        return features(person).and(uploads(person, rows)).and(reports(person));
    }

    private Erased features(Target person) {
        return Objects.requireNonNull(
                database.one(
                                person.tenantId(),
                                db ->
                                        Suppression.holdLoads(db, person.tenantId())
                                                .then(
                                                        PersonRows.delete(
                                                                person,
                                                                db,
                                                                "user_id",
                                                                List.of(
                                                                        "ml_features.user_features",
                                                                        "ml_features.user_features_backup"))))
                        .block(LIMIT));
    }

    private Erased uploads(Target person, PersonFiles rows) throws IOException {
        var uploads =
                database.many(
                                person.tenantId(),
                                db ->
                                        db.sql(
                                                        "SELECT format, file FROM etl_source WHERE tenant_id = $1 AND kind = 'upload' ORDER BY name")
                                                .bind(0, person.tenantId())
                                                .map(row ->
                                                        new Upload(
                                                                Objects.requireNonNull(
                                                                        row.get(0, String.class)),
                                                                Objects.requireNonNull(
                                                                        row.get(1, String.class))))
                                                .all())
                        .collectList()
                        .block(LIMIT);
        long rewritten = 0;
        long deleted = 0;
        for (var upload : Objects.requireNonNull(uploads)) {
            switch (NamedRows.remove(
                    files.find(upload.file()),
                    FileFormat.of(upload.format()).orElseThrow(),
                    person.userId(),
                    rows)) {
                case UNTOUCHED -> {}
                case REWRITTEN -> rewritten++;
                case DELETED -> deleted++;
            }
        }
        return Erased.of(
                new Removal("files of sources", Removal.BLANKED, rewritten),
                new Removal("files of sources", Removal.DELETED, deleted));
    }

    /** Reports are JSON text: those that have the id anywhere, as JSON spells it and cut as a quote is, are looked into. */
    private Erased reports(Target person) {
        var id = person.userId().strip();
        var quote =
                id.substring(
                        0,
                        id.offsetByCodePoints(
                                0, Math.min(Quotes.LONGEST, id.codePointCount(0, id.length()))));
        var spelled = Json.mapper().writeValueAsString(quote);
        var found =
                database.many(
                                person.tenantId(),
                                db ->
                                        // All reports of the tenant are read.
                                        db.sql("SET LOCAL statement_timeout = '30min'")
                                                .then()
                                                .thenMany(
                                                        db.sql(
                                                                        """
                                                                        SELECT execution_id FROM etl_run, (SELECT $2::jsonb::text AS quote) AS id
                                                                        WHERE tenant_id = $1
                                                                            AND position(substr(quote, 2, length(quote) - 2) in report::text) > 0\
                                                                        """)
                                                                .bind(0, person.tenantId())
                                                                .bind(1, spelled)
                                                                .map(row ->
                                                                        Objects.requireNonNull(
                                                                                row.get(
                                                                                        0,
                                                                                        String
                                                                                                .class)))
                                                                .all()))
                        .collectList()
                        .block(READING);
        long blanked = 0;
        for (var run : Objects.requireNonNull(found)) {
            blanked += blank(person.tenantId(), run, quote.strip()) ? 1 : 0;
        }
        return Erased.of(new Removal("etl_run", Removal.BLANKED, blanked));
    }

    private boolean blank(String tenant, String run, String quote) {
        return Boolean.TRUE.equals(
                database.one(
                                tenant,
                                db ->
                                        db.sql(
                                                        "SELECT report::text FROM etl_run WHERE tenant_id = $1 AND execution_id = $2 FOR UPDATE")
                                                .bind(0, tenant)
                                                .bind(1, run)
                                                .map(row ->
                                                        Objects.requireNonNull(
                                                                row.get(0, String.class)))
                                                .one()
                                                .mapNotNull(report ->
                                                        Quotes.without(report, quote::equals)
                                                                .orElse(null))
                                                .flatMap(report ->
                                                        db.sql(
                                                                        """
                                                                        UPDATE etl_run SET report = $3::jsonb
                                                                        WHERE tenant_id = $1 AND execution_id = $2\
                                                                        """)
                                                                .bind(0, tenant)
                                                                .bind(1, run)
                                                                .bind(2, report)
                                                                .then()
                                                                .thenReturn(true)))
                        .block(LIMIT));
    }
}
