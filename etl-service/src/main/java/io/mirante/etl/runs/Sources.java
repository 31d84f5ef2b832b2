package io.mirante.etl.runs;

import io.mirante.contracts.Json;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.remote.Place;
import io.mirante.etl.remote.PostgresPlace;
import io.mirante.etl.remote.S3Place;
import io.mirante.platform.web.Page;
import io.mirante.platform.web.Paging;
import io.mirante.platform.web.ProblemException;
import io.r2dbc.spi.Parameter;
import io.r2dbc.spi.Parameters;
import io.r2dbc.spi.R2dbcType;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** Sources as stored. */
final class Sources {

    private static final String COLUMNS =
            "name, kind, format, file, file_name, bytes, shape::text, created_at, place::text, credentials, watermark_value";

    private Sources() {}

    /** Stores one in place of another of its name; answers the file that is not needed any more, if any. */
    static Mono<String> put(DatabaseClient db, String tenant, Source source) {
        var earlier =
                db.sql(
                                "SELECT coalesce(file, '') FROM etl_source WHERE tenant_id = $1 AND name = $2 FOR UPDATE")
                        .bind(0, tenant)
                        .bind(1, source.name())
                        .map(row -> text(row, 0))
                        .one();
        var place = source.place();
        var shape = source.shape();
        var spec =
                db.sql(
                                """
                                INSERT INTO etl_source (tenant_id, name, kind, format, file, file_name, bytes, shape, created_at,
                                    place, credentials)
                                VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10::jsonb, $11)
                                ON CONFLICT (tenant_id, name) DO UPDATE SET kind = excluded.kind, format = excluded.format,
                                    file = excluded.file, file_name = excluded.file_name, bytes = excluded.bytes,
                                    shape = excluded.shape, created_at = excluded.created_at, place = excluded.place,
                                    credentials = excluded.credentials, watermark_value = NULL\
                                """)
                        .bind(0, tenant)
                        .bind(1, source.name())
                        .bind(2, source.kind())
                        .bind(3, Parameters.in(R2dbcType.VARCHAR, source.format()))
                        .bind(4, Parameters.in(R2dbcType.VARCHAR, source.file()))
                        .bind(5, Parameters.in(R2dbcType.VARCHAR, source.fileName()))
                        .bind(6, Parameters.in(R2dbcType.BIGINT, source.bytes()))
                        .bind(7, json(shape))
                        .bind(8, source.createdAt())
                        .bind(9, json(place))
                        .bind(10, Parameters.in(R2dbcType.VARCHAR, source.credentials()));
        return earlier.defaultIfEmpty("").flatMap(file -> spec.then().thenReturn(file));
    }

    private static Parameter json(@Nullable Object value) {
        return Parameters.in(
                R2dbcType.VARCHAR, value == null ? null : Json.mapper().writeValueAsString(value));
    }

    /** Notes up to where a source was read; nothing when it was replaced, or another run noted more, in the meantime. */
    static Mono<Void> advance(DatabaseClient db, String tenant, Source read, String watermark) {
        return db.sql(
                        """
                        UPDATE etl_source SET watermark_value = $3
                        WHERE tenant_id = $1 AND name = $2 AND created_at = $4
                            AND watermark_value IS NOT DISTINCT FROM $5\
                        """)
                .bind(0, tenant)
                .bind(1, read.name())
                .bind(2, watermark)
                .bind(3, read.createdAt())
                .bind(4, Parameters.in(R2dbcType.VARCHAR, read.watermarkValue()))
                .then();
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

    /** Fails with 400 when such a run cannot name that source. */
    static Mono<Void> require(DatabaseClient db, String tenant, RunRequest.Valid run) {
        var name = run.source();
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
                        .flatMap(source ->
                                run.intervalSeconds() == null ? Mono.empty() : streamable(source));
    }

    private static Mono<Void> streamable(Source source) {
        var place = source.place();
        if (place == null) {
            return Mono.error(
                    ProblemException.malformed(
                            "/source",
                            "invalid",
                            "the upload %s does not change; use mode batch, or a source of kind s3 or postgresql"
                                    .formatted(source.name())));
        }
        return place instanceof PostgresPlace rows && rows.watermark() == null
                ? Mono.error(
                        ProblemException.malformed(
                                "/source",
                                "invalid",
                                "%s does not say what is new; name it again with a watermark column"
                                        .formatted(source.name())))
                : Mono.empty();
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
        return db.sql(
                        "DELETE FROM etl_source WHERE tenant_id = $1 AND name = $2 RETURNING coalesce(file, '')")
                .bind(0, tenant)
                .bind(1, name)
                .map(row -> text(row, 0))
                .one();
    }

    private static Source read(Readable row) {
        var shape = row.get(6, String.class);
        var kind = text(row, 1);
        var place = row.get(8, String.class);
        return new Source(
                text(row, 0),
                kind,
                row.get(2, String.class),
                row.get(3, String.class),
                row.get(4, String.class),
                row.get(5, Long.class),
                place == null ? null : place(kind, place),
                row.get(9, String.class),
                row.get(10, String.class),
                shape == null ? null : Json.mapper().readValue(shape, TableShape.class),
                Objects.requireNonNull(row.get(7, Instant.class)));
    }

    private static Place place(String kind, String json) {
        return kind.equals(Source.S3)
                ? Json.mapper().readValue(json, S3Place.class)
                : Json.mapper().readValue(json, PostgresPlace.class);
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }
}
