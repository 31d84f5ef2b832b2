package io.mirante.etl.features;

import io.mirante.etl.quality.ColumnType;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.quality.TableShape.Column;
import io.mirante.etl.quality.Tables;
import io.mirante.platform.persistence.TenantDatabase;
import io.r2dbc.spi.Readable;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/** The events of a tenant's known users as a batch run's table. */
public final class LogTable {

    /** Tells users apart; visitors who became a user have the user's. */
    public static final String PERSON = "person_no";

    private static final int FETCH = 5_000;
    private static final int TOLD_EVERY = 50_000;

    private static final List<String> COLUMNS =
            Stream.concat(Stream.of(PERSON), FeatureQuery.COLUMNS.stream()).toList();

    private static final TableShape SHAPE =
            new TableShape(
                    List.of(
                            Column.required(PERSON, ColumnType.INTEGER),
                            Column.of("user_id", ColumnType.TEXT),
                            Column.required("id", ColumnType.TEXT),
                            Column.required("event_type", ColumnType.TEXT),
                            Column.of("session_id", ColumnType.TEXT),
                            Column.required("occurred_at", ColumnType.TIMESTAMP),
                            Column.of("score", ColumnType.NUMBER),
                            Column.of("amount", ColumnType.NUMBER),
                            Column.of("currency", ColumnType.TEXT),
                            Column.of("category", ColumnType.TEXT),
                            Column.of("game_type", ColumnType.TEXT),
                            Column.of("channel", ColumnType.TEXT),
                            Column.of("opt_in_games", ColumnType.INTEGER),
                            Column.of("opt_in_promotions", ColumnType.INTEGER)),
                    List.of("id"),
                    "occurred_at",
                    null,
                    List.of(),
                    false);

    private LogTable() {}

    /** What it looks like. */
    public static TableShape shape() {
        return SHAPE;
    }

    /**
     * Fills a run's empty tables with what had occurred before a moment. Rows stream through.
     *
     * @param persons numbers of the users whose events they are; null = all users
     * @param read is told how many there are so far, now and then; may throw to end it
     */
    public static void into(
            Tables tables,
            TenantDatabase database,
            String tenant,
            Instant asOf,
            Long @Nullable [] persons,
            LongConsumer read)
            throws SQLException {
        long count = 0;
        try (var table = tables.filled(COLUMNS);
                var rows = rows(database, tenant, asOf, persons).toStream(FETCH)) {
            for (var row : (Iterable<@Nullable String[]>) rows::iterator) {
                table.beginRow();
                count++;
                for (var value : row) {
                    if (value == null) {
                        table.appendNull();
                    } else {
                        table.append(value);
                    }
                }
                table.endRow();
                if (count % TOLD_EVERY == 0) {
                    read.accept(count);
                }
            }
        }
    }

    private static Flux<@Nullable String[]> rows(
            TenantDatabase database, String tenant, Instant asOf, Long @Nullable [] persons) {
        var texts = COLUMNS.stream().map(c -> c + "::text").collect(Collectors.joining(", "));
        return database.many(
                tenant,
                db -> {
                    var query =
                            db.sql(
                                            "SELECT %s FROM (%s) e"
                                                    .formatted(
                                                            texts,
                                                            FeatureQuery.events(
                                                                    "$1",
                                                                    "$2::timestamptz",
                                                                    persons == null
                                                                            ? null
                                                                            : "$3::bigint[]")))
                                    .filter(statement -> statement.fetchSize(FETCH))
                                    .bind(0, tenant)
                                    .bind(1, asOf);
                    return db.sql("SET LOCAL statement_timeout = '30min'")
                            .then()
                            .thenMany(
                                    (persons == null ? query : query.bind(2, persons))
                                            .map(LogTable::row)
                                            .all());
                });
    }

    private static @Nullable String[] row(Readable row) {
        var values = new @Nullable String[COLUMNS.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = row.get(i, String.class);
        }
        return values;
    }
}
