package io.mirante.etl.runs;

import io.mirante.etl.features.Feature;
import io.mirante.etl.features.FeatureCatalog;
import io.mirante.platform.web.ProblemException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.r2dbc.postgresql.api.PostgresqlConnection;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Wrapped;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.stream.Collectors;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Loads of feature sets into {@code ml_features.user_features}, and their way back. A load is one transaction: readers see all of it
 * or nothing. Its rows are written once; earlier rows that it replaces stay beside them as its backup, marked as replaced, and the
 * view shows those that are not. Loads and roll-backs of a tenant wait for each other.
 */
final class FeatureLoads {

    /** What is current. */
    private static final String VIEW = "ml_features.user_features";

    /** Rows of all loads that stand, those they replaced among them. */
    private static final String ROWS = "ml_features.user_features_row";

    /** Rows that a merge replaced, by run, user, and the run that did so. */
    private static final String REPLACED = "ml_features.user_features_replaced";

    /** Loads, and which run replaced all of them. */
    private static final String LOADS = "ml_features.user_features_load";

    private static final String FEATURES =
            FeatureCatalog.all().stream().map(Feature::name).collect(Collectors.joining(", "));
    private static final String COLUMNS =
            "tenant_id, user_id, " + FEATURES + ", as_of, version, execution_id, updated_at";
    private static final int CHUNK = 1 << 18;

    private FeatureLoads() {}

    /**
     * What to load.
     *
     * @param file for a binary COPY: user_id, then every feature in the catalogue's order; a user once
     * @param asOf only events before it are counted
     * @param keep how long the way back stays open
     */
    record Order(
            String tenant,
            String executionId,
            LoadStrategy strategy,
            Path file,
            Instant asOf,
            Duration keep) {}

    /**
     * What was loaded.
     *
     * @param refused users that were known, of an append
     */
    record Loaded(long loaded, long refused) {}

    /**
     * Loads, within the caller's transaction. A run that has loaded already loads nothing again. Of who was
     * erased since the run began to read nothing is loaded, kept or told.
     *
     * @param refused is told each user that was refused
     */
    static Mono<Loaded> load(
            DatabaseClient db, Order order, java.util.function.Consumer<String> refused) {
        return exclusively(db, order.tenant())
                .then(loadedBefore(db, order))
                .switchIfEmpty(Mono.defer(() -> loadNow(db, order, refused)));
    }

    private static Mono<Loaded> loadedBefore(DatabaseClient db, Order order) {
        return db.sql(
                        """
                        SELECT loaded, refused FROM etl_run
                        WHERE tenant_id = $1 AND execution_id = $2 AND loaded_at IS NOT NULL\
                        """)
                .bind(0, order.tenant())
                .bind(1, order.executionId())
                .map(row ->
                        new Loaded(
                                Objects.requireNonNull(row.get(0, Long.class)),
                                Objects.requireNonNull(row.get(1, Long.class))))
                .one();
    }

    private static Mono<Loaded> loadNow(
            DatabaseClient db, Order order, java.util.function.Consumer<String> refused) {
        return execute(
                        db,
                        "CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT user_id, %s FROM %s WHERE false"
                                .formatted(FEATURES, ROWS))
                .then(db.inConnection(connection -> copy(connection, order.file())))
                .flatMap(staged ->
                        // Of the other columns nothing is asked, and there are many.
                        execute(db, "ANALYZE staged (user_id)")
                                .then(refuseKnown(db, order))
                                .flatMap(known ->
                                        put(db, order)
                                                .flatMap(loaded ->
                                                        check(staged, loaded, known)
                                                                .then(forgetErased(db, order))
                                                                .then(tell(db, refused))
                                                                .then(
                                                                        note(
                                                                                db, order, loaded,
                                                                                known)))));
    }

    private static Mono<Long> copy(Connection connection, Path file) {
        var postgres = postgres(connection);
        return postgres.copyIn("COPY staged FROM STDIN (FORMAT binary)", chunks(file));
    }

    private static PostgresqlConnection postgres(Object connection) {
        var inner = connection;
        while (!(inner instanceof PostgresqlConnection) && inner instanceof Wrapped<?> wrapper) {
            inner = Objects.requireNonNull(wrapper.unwrap());
        }
        return (PostgresqlConnection) inner;
    }

    private static Flux<ByteBuf> chunks(Path file) {
        return Flux.using(
                        () -> Files.newInputStream(file),
                        in ->
                                Flux.<ByteBuf>generate(sink -> {
                                    try {
                                        var chunk = in.readNBytes(CHUNK);
                                        if (chunk.length == 0) {
                                            sink.complete();
                                        } else {
                                            sink.next(Unpooled.wrappedBuffer(chunk));
                                        }
                                    } catch (IOException e) {
                                        sink.error(e);
                                    }
                                }),
                        FeatureLoads::close)
                .subscribeOn(Schedulers.boundedElastic());
    }

    private static void close(InputStream in) {
        try {
            in.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Marks what the load replaces. */
    private static Mono<Void> replace(DatabaseClient db, Order order) {
        var marks =
                switch (order.strategy()) {
                    case MERGE ->
                            """
                            INSERT INTO %s (tenant_id, execution_id, user_id, replaced_by)
                            SELECT tenant_id, execution_id, user_id, $2 FROM %s
                            WHERE tenant_id = $1 AND user_id IN (SELECT user_id FROM staged)\
                            """
                                    .formatted(REPLACED, VIEW);
                    case REPLACE ->
                            "UPDATE %s SET replaced_by = $2 WHERE tenant_id = $1 AND replaced_by IS NULL"
                                    .formatted(LOADS);
                    case APPEND -> null;
                };
        return marks == null
                ? Mono.empty()
                : db.sql(marks).bind(0, order.tenant()).bind(1, order.executionId()).then();
    }

    private static Mono<Long> refuseKnown(DatabaseClient db, Order order) {
        var refused = execute(db, "CREATE TEMPORARY TABLE refused (user_id text) ON COMMIT DROP");
        return order.strategy() != LoadStrategy.APPEND
                ? refused.thenReturn(0L)
                : refused.then(
                        db.sql(
                                        """
                                        WITH known AS (
                                            DELETE FROM staged s USING %s u WHERE u.tenant_id = $1 AND u.user_id = s.user_id
                                            RETURNING s.user_id
                                        )
                                        INSERT INTO refused SELECT user_id FROM known\
                                        """
                                                .formatted(VIEW))
                                .bind(0, order.tenant())
                                .fetch()
                                .rowsUpdated());
    }

    private static Mono<Void> tell(DatabaseClient db, java.util.function.Consumer<String> refused) {
        return db.sql("SELECT user_id FROM refused")
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .all()
                .doOnNext(refused)
                .then();
    }

    private static Mono<Void> forgetErased(DatabaseClient db, Order order) {
        return Suppression.erasedSince(db, order.tenant(), order.executionId())
                .filter(erased -> !erased.isEmpty())
                .flatMapMany(erased ->
                        Flux.just(
                                        """
                                        %s WHERE tenant_id = $1 AND (execution_id = $2
                                            OR execution_id IN (SELECT execution_id FROM %s WHERE tenant_id = $1 AND replaced_by = $2)
                                            OR (execution_id, user_id) IN (
                                                SELECT execution_id, user_id FROM %s WHERE tenant_id = $1 AND replaced_by = $2))\
                                        """
                                                .formatted(ROWS, LOADS, REPLACED),
                                        REPLACED + " WHERE tenant_id = $1 AND replaced_by = $2",
                                        "refused WHERE $2 IS NOT NULL")
                                .concatMap(place ->
                                        db.sql(
                                                        """
                                                        DELETE FROM %s
                                                            AND encode(sha256(convert_to($1 || chr(10) || user_id, 'UTF8')), 'hex') = ANY($3)\
                                                        """
                                                                .formatted(place))
                                                .bind(0, order.tenant())
                                                .bind(1, order.executionId())
                                                .bind(2, erased.toArray(String[]::new))
                                                .then()))
                .then();
    }

    private static Mono<Long> put(DatabaseClient db, Order order) {
        return replace(db, order)
                .then(
                        db.sql(
                                        "INSERT INTO %s (tenant_id, execution_id) VALUES ($1, $2)"
                                                .formatted(LOADS))
                                .bind(0, order.tenant())
                                .bind(1, order.executionId())
                                .then())
                .then(
                        db.sql(
                                        "INSERT INTO %s (%s) SELECT $1, user_id, %s, $2, $3, $4, now() FROM staged"
                                                .formatted(ROWS, COLUMNS, FEATURES))
                                .bind(0, order.tenant())
                                .bind(1, order.asOf())
                                .bind(2, FeatureCatalog.VERSION)
                                .bind(3, order.executionId())
                                .fetch()
                                .rowsUpdated());
    }

    private static Mono<Void> check(long staged, long loaded, long refused) {
        return staged == loaded + refused
                ? Mono.empty()
                : Mono.error(
                        new IllegalStateException(
                                "of %d rows %d were loaded and %d refused"
                                        .formatted(staged, loaded, refused)));
    }

    private static Mono<Loaded> note(DatabaseClient db, Order order, long loaded, long refused) {
        return db.sql(
                        """
                        UPDATE etl_run SET loaded = $3, refused = $4, loaded_at = clock_timestamp(),
                            backup_until = now() + $5 * interval '1 second'
                        WHERE tenant_id = $1 AND execution_id = $2\
                        """)
                .bind(0, order.tenant())
                .bind(1, order.executionId())
                .bind(2, loaded)
                .bind(3, refused)
                .bind(4, order.keep().toSeconds())
                .then()
                .thenReturn(new Loaded(loaded, refused));
    }

    /**
     * Drops the oldest backup whose time is over, of any tenant; answers how many rows it had, empty when there is none. A load
     * that has no row any more goes with it.
     */
    static Mono<Long> dropOldBackup(DatabaseClient db) {
        return db.sql(
                        """
                        WITH over AS (
                            UPDATE etl_run SET backup_until = NULL WHERE (tenant_id, execution_id) = (
                                SELECT tenant_id, execution_id FROM etl_run WHERE backup_until < now()
                                ORDER BY backup_until LIMIT 1 FOR UPDATE SKIP LOCKED)
                            RETURNING tenant_id, execution_id
                        ), merged AS (
                            DELETE FROM %1$s m USING over o WHERE m.tenant_id = o.tenant_id AND m.replaced_by = o.execution_id
                            RETURNING m.tenant_id, m.execution_id, m.user_id
                        ), replaced AS (
                            DELETE FROM %2$s l USING over o WHERE l.tenant_id = o.tenant_id AND l.replaced_by = o.execution_id
                            RETURNING l.tenant_id, l.execution_id
                        ), of_merged AS (
                            DELETE FROM %3$s r USING merged m
                            WHERE r.tenant_id = m.tenant_id AND r.execution_id = m.execution_id AND r.user_id = m.user_id
                            RETURNING r.tenant_id, r.execution_id
                        ), of_replaced AS (
                            DELETE FROM %3$s r USING replaced l WHERE r.tenant_id = l.tenant_id AND r.execution_id = l.execution_id
                            RETURNING 1
                        ), marks AS (
                            DELETE FROM %1$s m USING replaced l WHERE m.tenant_id = l.tenant_id AND m.execution_id = l.execution_id
                        ), emptied AS (
                            DELETE FROM %2$s l
                            USING (SELECT tenant_id, execution_id, count(*) AS n FROM of_merged GROUP BY 1, 2) g
                            WHERE l.tenant_id = g.tenant_id AND l.execution_id = g.execution_id AND g.n = (
                                SELECT count(*) FROM %3$s r WHERE r.tenant_id = l.tenant_id AND r.execution_id = l.execution_id)
                        )
                        SELECT (SELECT count(*) FROM of_merged) + (SELECT count(*) FROM of_replaced) FROM over\
                        """
                                .formatted(REPLACED, LOADS, ROWS))
                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                .one();
    }

    /**
     * Takes a load back, within the caller's transaction: rows, the source's watermark and what live users are compared with are as
     * before, unless something has moved them since. One that was taken back already stays so.
     *
     * @throws ProblemException 409 when the run loaded nothing, its backup is gone, a later load stands, or a run is loading
     */
    static Mono<Void> rollBack(DatabaseClient db, String tenant, String executionId) {
        return db.sql("SELECT pg_try_advisory_xact_lock(hashtextextended('etl.load ' || $1, 0))")
                .bind(0, tenant)
                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                .one()
                .filter(ours -> ours)
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.conflict(
                                        "load-under-way",
                                        "a run is loading at the moment; try again when it has ended")))
                .then(execute(db, "SET LOCAL statement_timeout = '30min'"))
                .then(standing(db, tenant, executionId))
                .flatMap(standing ->
                        standing.rolledBack()
                                ? Mono.empty()
                                : standing.requireWayBack(executionId)
                                        .then(Mono.defer(() -> restore(db, tenant, executionId))));
    }

    /**
     * Whether there is a way back from it.
     *
     * @throws ProblemException 409 when the run loaded nothing, its backup is gone, or a later load stands
     */
    static Mono<Void> requireWayBack(DatabaseClient db, String tenant, String executionId) {
        return standing(db, tenant, executionId)
                .flatMap(standing ->
                        standing.rolledBack()
                                ? Mono.empty()
                                : standing.requireWayBack(executionId));
    }

    private static Mono<Standing> standing(DatabaseClient db, String tenant, String executionId) {
        return db.sql(
                        """
                        SELECT r.loaded_at IS NOT NULL, r.rolled_back_at IS NOT NULL,
                            coalesce(r.backup_until > now(), false),
                            (SELECT l.execution_id FROM etl_run l WHERE l.tenant_id = $1
                                AND l.loaded_at > r.loaded_at AND l.rolled_back_at IS NULL
                             ORDER BY l.loaded_at DESC LIMIT 1)
                        FROM etl_run r WHERE r.tenant_id = $1 AND r.execution_id = $2\
                        """)
                .bind(0, tenant)
                .bind(1, executionId)
                .map(row ->
                        new Standing(
                                Boolean.TRUE.equals(row.get(0, Boolean.class)),
                                Boolean.TRUE.equals(row.get(1, Boolean.class)),
                                Boolean.TRUE.equals(row.get(2, Boolean.class)),
                                row.get(3, String.class)))
                .one();
    }

    private record Standing(
            boolean loaded,
            boolean rolledBack,
            boolean hasBackup,
            @org.jspecify.annotations.Nullable String later) {

        Mono<Void> requireWayBack(String executionId) {
            if (!loaded) {
                return Mono.error(
                        ProblemException.conflict(
                                "nothing-loaded",
                                "the run %s loaded nothing".formatted(executionId)));
            }
            if (later != null) {
                return Mono.error(
                        ProblemException.conflict(
                                "later-load",
                                "the run %s loaded after it; roll that one back first"
                                        .formatted(later)));
            }
            return hasBackup
                    ? Mono.empty()
                    : Mono.error(
                            ProblemException.conflict(
                                    "backup-gone",
                                    "the backup of the run %s is not kept any more"
                                            .formatted(executionId)));
        }
    }

    private static Mono<Void> restore(DatabaseClient db, String tenant, String executionId) {
        return Flux.just(
                        "DELETE FROM %s WHERE tenant_id = $1 AND execution_id = $2".formatted(ROWS),
                        "DELETE FROM %s WHERE tenant_id = $1 AND replaced_by = $2"
                                .formatted(REPLACED),
                        "UPDATE %s SET replaced_by = NULL WHERE tenant_id = $1 AND replaced_by = $2"
                                .formatted(LOADS),
                        "DELETE FROM %s WHERE tenant_id = $1 AND execution_id = $2"
                                .formatted(LOADS))
                .concatMap(sql -> db.sql(sql).bind(0, tenant).bind(1, executionId).then())
                .then()
                .then(
                        db.sql(
                                        """
                                        WITH back AS (
                                            UPDATE etl_run SET rolled_back_at = clock_timestamp(), backup_until = NULL
                                            WHERE tenant_id = $1 AND execution_id = $2
                                            RETURNING source, watermark_before, watermark_after
                                        ), unread AS (
                                            UPDATE etl_source s SET watermark_value = b.watermark_before FROM back b
                                            WHERE s.tenant_id = $1 AND s.name = b.source
                                                AND s.watermark_value = b.watermark_after
                                        )
                                        UPDATE feature_population SET withdrawn = true
                                        WHERE tenant_id = $1 AND execution_id = $2\
                                        """)
                                .bind(0, tenant)
                                .bind(1, executionId)
                                .then());
    }

    private static Mono<Void> exclusively(DatabaseClient db, String tenant) {
        return execute(db, "SET LOCAL statement_timeout = '30min'")
                .then(execute(db, "SET LOCAL lock_timeout = '30min'"))
                .then(Suppression.holdLoads(db, tenant));
    }

    private static Mono<Void> execute(DatabaseClient db, String sql) {
        return db.sql(sql).then();
    }
}
