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
import io.r2dbc.spi.Readable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Component;

/**
 * Takes a person out of what was uploaded for runs, and out of what runs loaded and found. Rows that name them go ({@link NamedRows}). A
 * report that quotes them loses its samples and most frequent values, an error that does its words.
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
        return features(person).and(uploads(person, rows)).and(reports(person)).and(errors(person));
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
                                                                        "ml_features.user_features_row",
                                                                        "ml_features.user_features_replaced"))))
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

    private static String quote(Target person) {
        var id = person.userId().strip();
        return id.substring(
                        0,
                        id.offsetByCodePoints(
                                0, Math.min(Quotes.LONGEST, id.codePointCount(0, id.length()))))
                .strip();
    }

    /** Reports are JSON text: those that have the id anywhere, as JSON spells it and cut as a quote is, are looked into. */
    private Erased reports(Target person) {
        var quote = quote(person);
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
            blanked += blank(person.tenantId(), run, quote) ? 1 : 0;
        }
        return Erased.of(new Removal("etl_run", Removal.BLANKED, blanked));
    }

    private record Failure(String table, String id, String error) {}

    private Erased errors(Target person) {
        var quoted = quote(person);
        var found =
                database.many(
                                person.tenantId(),
                                db ->
                                        db.sql(
                                                        """
                                                        SELECT 'etl_run', execution_id, error FROM etl_run
                                                        WHERE tenant_id = $1 AND position($2 in error) > 0
                                                        UNION ALL
                                                        SELECT 'job', id, error ->> 'detail' FROM job
                                                        WHERE tenant_id = $1 AND position($2 in error ->> 'detail') > 0\
                                                        """)
                                                .bind(0, person.tenantId())
                                                .bind(1, quoted)
                                                .map(row ->
                                                        new Failure(
                                                                text(row, 0),
                                                                text(row, 1),
                                                                text(row, 2)))
                                                .all())
                        .filter(failure -> Quotes.in(failure.error(), quoted::equals))
                        .concatMap(failure ->
                                database.one(
                                        person.tenantId(),
                                        db ->
                                                db.sql(
                                                                failure.table().equals("job")
                                                                        ? """
                                                                        UPDATE job SET error = jsonb_set(error, '{detail}', to_jsonb($3::text))
                                                                        WHERE tenant_id = $1 AND id = $2\
                                                                        """
                                                                        : """
                                                                        UPDATE etl_run SET error = $3
                                                                        WHERE tenant_id = $1 AND execution_id = $2\
                                                                        """)
                                                        .bind(0, person.tenantId())
                                                        .bind(1, failure.id())
                                                        .bind(
                                                                2,
                                                                "(it quoted a person who was erased)")
                                                        .then()
                                                        .thenReturn(failure.table())))
                        .collectList()
                        .block(LIMIT);
        long jobs = Objects.requireNonNull(found).stream().filter("job"::equals).count();
        return Erased.of(
                new Removal("errors of runs", Removal.BLANKED, found.size() - jobs),
                new Removal("errors of jobs", Removal.BLANKED, jobs));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
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
