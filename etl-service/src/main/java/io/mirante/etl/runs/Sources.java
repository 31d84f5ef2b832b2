package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.quality.TableShape;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** Sources as stored. */
final class Sources {

    private static final String COLUMNS =
            "name, kind, format, file, file_name, bytes, shape::text, created_at";

    private Sources() {}

    /** Stores one in place of another of its name; answers the file that is not needed any more, if any. */
    static Mono<String> put(DatabaseClient db, String tenant, Source source) {
        var earlier =
                db.sql("SELECT file FROM etl_source WHERE tenant_id = $1 AND name = $2 FOR UPDATE")
                        .bind(0, tenant)
                        .bind(1, source.name())
                        .map(row -> text(row, 0))
                        .one();
        var spec =
                db.sql(
                                """
                                INSERT INTO etl_source (tenant_id, name, kind, format, file, file_name, bytes, shape, created_at)
                                VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9)
                                ON CONFLICT (tenant_id, name) DO UPDATE SET kind = excluded.kind, format = excluded.format,
                                    file = excluded.file, file_name = excluded.file_name, bytes = excluded.bytes,
                                    shape = excluded.shape, created_at = excluded.created_at\
                                """)
                        .bind(0, tenant)
                        .bind(1, source.name())
                        .bind(2, source.kind())
                        .bind(3, source.format())
                        .bind(4, source.file())
                        .bind(5, source.fileName())
                        .bind(6, source.bytes())
                        .bind(8, source.createdAt());
        var shape = source.shape();
        var complete =
                shape == null
                        ? spec.bindNull(7, String.class)
                        : spec.bind(7, Json.mapper().writeValueAsString(shape));
        return earlier.defaultIfEmpty("").flatMap(file -> complete.then().thenReturn(file));
    }

    static Mono<Source> find(DatabaseClient db, String tenant, String name) {
        return db.sql(
                        "SELECT %s FROM etl_source WHERE tenant_id = $1 AND name = $2"
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, name)
                .map(Sources::read)
                .one();
    }

    /** Fails with 400 when a run cannot name that source. */
    static Mono<Void> require(DatabaseClient db, String tenant, String name) {
        return name.equals(RunRequest.EVENTS)
                ? Mono.empty()
                : find(db, tenant, name)
                        .switchIfEmpty(
                                Mono.error(() ->
                                        ProblemException.malformed(
                                                "/source",
                                                "unknown",
                                                "there is no source %s; see GET /api/v1/etl/sources"
                                                        .formatted(name))))
                        .then();
    }

    /** By name. */
    static Mono<Page<Source>> list(DatabaseClient db, String tenant, Paging paging) {
        return db.sql(
                        "SELECT %s FROM etl_source WHERE tenant_id = $1 AND name > $2 ORDER BY name LIMIT $3"
                                .formatted(COLUMNS))
                .bind(0, tenant)
                .bind(1, Objects.requireNonNullElse(paging.after(), ""))
                .bind(2, paging.limit() + 1)
                .map(Sources::read)
                .all()
                .collectList()
                .map(rows -> Page.of(rows, paging.limit(), Source::name));
    }

    /** Answers the file that is not needed any more. */
    static Mono<String> delete(DatabaseClient db, String tenant, String name) {
        return db.sql("DELETE FROM etl_source WHERE tenant_id = $1 AND name = $2 RETURNING file")
                .bind(0, tenant)
                .bind(1, name)
                .map(row -> text(row, 0))
                .one();
    }

    private static Source read(Readable row) {
        var shape = row.get(6, String.class);
        return new Source(
                text(row, 0),
                text(row, 1),
                text(row, 2),
                text(row, 3),
                text(row, 4),
                Objects.requireNonNull(row.get(5, Long.class)),
                shape == null ? null : Json.mapper().readValue(shape, TableShape.class),
                Objects.requireNonNull(row.get(7, Instant.class)));
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
