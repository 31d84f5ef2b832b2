package io.mirante.etl.erasure;

import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.quality.Gzip;
import io.mirante.etl.runs.SourceFiles;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
import io.mirante.platform.erasure.PersonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Takes a person out of what was uploaded for runs on this replica, and out of what runs found. Lines of text that name them go; a
 * packed file or one that is no text goes whole, and has to be uploaded again. A report that names them loses its samples and most
 * frequent values.
 */
@Component
final class EraseFromRuns {

    private static final Set<String> QUOTED = Set.of("samples", "top");
    private static final Set<String> LINES =
            Set.of(FileFormat.CSV.label(), FileFormat.NDJSON.label());

    private final SourceFiles files;

    EraseFromRuns(SourceFiles files) {
        this.files = files;
    }

    private record Upload(String format, String file) {}

    private record Report(String executionId, String text) {}

    Mono<Erased> erase(Target person, DatabaseClient db) {
        if (person.userId().isEmpty()) {
            return Mono.just(Erased.NOTHING);
        }
        return uploads(person, db).flatMap(uploads -> reports(person, db).map(uploads::and));
    }

    private Mono<Erased> uploads(Target person, DatabaseClient db) {
        return db.sql("SELECT format, file FROM etl_source WHERE tenant_id = $1")
                .bind(0, person.tenantId())
                .map(row ->
                        new Upload(
                                Objects.requireNonNull(row.get(0, String.class)),
                                Objects.requireNonNull(row.get(1, String.class))))
                .all()
                .collectList()
                .flatMap(uploads ->
                        Flux.fromIterable(uploads)
                                .concatMap(upload ->
                                        Mono.fromCallable(() ->
                                                rewrite(
                                                        files.find(upload.file()),
                                                        LINES.contains(upload.format()),
                                                        person.userId())))
                                .reduce(Erased.NOTHING, Erased::and)
                                .subscribeOn(Schedulers.boundedElastic()));
    }

    private static Erased rewrite(Path file, boolean lines, String userId) throws IOException {
        if (!Files.exists(file)) {
            return Erased.NOTHING;
        }
        if (lines && !Gzip.is(file)) {
            return removed(Removal.BLANKED, PersonFiles.removeLines(file, userId) ? 1 : 0);
        }
        return removed(Removal.DELETED, Files.deleteIfExists(file) ? 1 : 0);
    }

    private static Erased removed(String how, long count) {
        return new Erased(
                List.of(new Removal("files of sources", how, count)), List.of(), List.of());
    }

    private static Mono<Erased> reports(Target person, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT execution_id, report::text FROM etl_run
                        WHERE tenant_id = $1 AND position($2 in report::text) > 0\
                        """)
                .bind(0, person.tenantId())
                .bind(1, person.userId())
                .map(row ->
                        new Report(
                                Objects.requireNonNull(row.get(0, String.class)),
                                Objects.requireNonNull(row.get(1, String.class))))
                .all()
                .collectList()
                .flatMap(reports ->
                        Flux.fromIterable(reports)
                                .concatMap(report ->
                                        db.sql(
                                                        """
                                                        UPDATE etl_run SET report = $3::jsonb
                                                        WHERE tenant_id = $1 AND execution_id = $2\
                                                        """)
                                                .bind(0, person.tenantId())
                                                .bind(1, report.executionId())
                                                .bind(2, withoutQuotes(report.text()))
                                                .then())
                                .then(
                                        Mono.just(
                                                new Erased(
                                                        List.of(
                                                                new Removal(
                                                                        "etl_run",
                                                                        Removal.BLANKED,
                                                                        reports.size())),
                                                        List.of(),
                                                        List.of()))));
    }

    static String withoutQuotes(String report) {
        var tree = Json.mapper().readTree(report);
        empty(tree);
        return Json.mapper().writeValueAsString(tree);
    }

    private static void empty(JsonNode node) {
        if (node instanceof ObjectNode object) {
            for (var name : QUOTED) {
                if (object.get(name) instanceof ArrayNode quotes) {
                    quotes.removeAll();
                }
            }
        }
        node.forEach(EraseFromRuns::empty);
    }
}
