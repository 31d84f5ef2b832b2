package io.mirante.etl.erasure;

import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.etl.quality.FileFormat;
import io.mirante.etl.runs.SourceFiles;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
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
 * Takes a person out of what was uploaded for runs on this replica, and out of what runs found. Rows that name them go
 * ({@link NamedRows}). A report that names them loses its samples and most frequent values.
 */
@Component
final class EraseFromRuns {

    private static final Set<String> QUOTED = Set.of("samples", "top");

    /** Reports quote no more of a value. */
    private static final int QUOTE = 80;

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
        return db.sql(
                        "SELECT format, file FROM etl_source WHERE tenant_id = $1 AND kind = 'upload'")
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
                                                removed(
                                                        NamedRows.remove(
                                                                files.find(upload.file()),
                                                                FileFormat.of(upload.format())
                                                                        .orElseThrow(),
                                                                person.userId()))))
                                .reduce(Erased.NOTHING, Erased::and)
                                .subscribeOn(Schedulers.boundedElastic()));
    }

    private static Erased removed(NamedRows.Outcome outcome) {
        return switch (outcome) {
            case UNTOUCHED -> Erased.NOTHING;
            case REWRITTEN -> removed(Removal.BLANKED);
            case DELETED -> removed(Removal.DELETED);
        };
    }

    private static Erased removed(String how) {
        return new Erased(List.of(new Removal("files of sources", how, 1)), List.of(), List.of());
    }

    /** Reports are JSON text: an id is looked for as JSON spells it, and cut as a quote is. */
    private static Mono<Erased> reports(Target person, DatabaseClient db) {
        return db.sql(
                        """
                        SELECT execution_id, report::text
                        FROM etl_run, (SELECT to_jsonb(left($2, $3))::text AS quote) AS id
                        WHERE tenant_id = $1
                            AND position(substr(quote, 2, length(quote) - 2) in report::text) > 0\
                        """)
                .bind(0, person.tenantId())
                .bind(1, person.userId())
                .bind(2, QUOTE)
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
