package io.mirante.snapshot.lake;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.rebuild.GenerationLock;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Which files a tenant's lake has and how far they go: the only SQL for it. Every change of the files, and whatever changes rows that are
 * in them, raises the revision; who writes files says on which revision they are based, and changes nothing when it is another by then.
 * Thread-safe; what is no {@link Mono} blocks.
 */
@Component
public final class LakeManifest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final int FETCH = 5_000;

    /** So long nobody else writes the tenant's files; correctness does not rest on it. */
    private static final Duration LEASE = Duration.ofMinutes(2);

    private static final String FILE_COLUMNS =
            "file, day, rows, min_occurred_at, max_occurred_at, min_received_at, max_received_at, bytes, sha256";

    private final TenantDatabase database;

    LakeManifest(TenantDatabase database) {
        this.database = database;
    }

    /**
     * What is in files and what is not.
     *
     * @param lastNo of the newest row; all rows up to it are there, and later ones get higher numbers
     * @param flushedNo up to which rows are in files
     * @param stale whether coverage is to be said anew, also if there is no new row
     */
    record Boundary(long lastNo, long flushedNo, long revision, boolean stale) {}

    /** Takes the tenant's lake for itself, or prolongs that; false while somebody else has it. */
    boolean lease(String tenant, String owner) {
        return changed(
                tenant,
                db ->
                        db.sql(
                                        """
                                        INSERT INTO lake_tenant AS l (tenant_id, lease_owner, lease_until)
                                        VALUES ($1, $2, now() + $3 * interval '1 second')
                                        ON CONFLICT (tenant_id) DO UPDATE SET lease_owner = excluded.lease_owner,
                                            lease_until = excluded.lease_until
                                        WHERE l.lease_owner IS NULL OR l.lease_owner = excluded.lease_owner
                                            OR l.lease_until < now()\
                                        """)
                                .bind(0, tenant)
                                .bind(1, owner)
                                .bind(2, LEASE.toSeconds()));
    }

    void release(String tenant, String owner) {
        changed(
                tenant,
                db ->
                        db.sql(
                                        """
                                        UPDATE lake_tenant SET lease_owner = NULL, lease_until = NULL
                                        WHERE tenant_id = $1 AND lease_owner = $2\
                                        """)
                                .bind(0, tenant)
                                .bind(1, owner));
    }

    /** Waits for those who are storing rows of the tenant's, and holds others up meanwhile, for milliseconds mostly. */
    Boundary boundary(String tenant) {
        return one(
                tenant,
                db ->
                        GenerationLock.holdChanges(tenant, db)
                                .then(
                                        db.sql(
                                                        """
                                                        SELECT coalesce((SELECT max(stored_no) FROM behaviour_event
                                                                WHERE tenant_id = $1), 0), flushed_no, revision,
                                                            %s
                                                        FROM lake_tenant l WHERE tenant_id = $1\
                                                        """
                                                                .formatted(KeepLake.STALE))
                                                .bind(0, tenant)
                                                .map(row ->
                                                        new Boundary(
                                                                number(row, 0),
                                                                number(row, 1),
                                                                number(row, 2),
                                                                Boolean.TRUE.equals(
                                                                        row.get(3, Boolean.class))))
                                                .one()));
    }

    /**
     * Rows in the order of storing, on a thread that may block.
     *
     * @param after number of the last one not wanted
     * @param until number of the last one wanted
     * @return number of the last of the rows
     */
    long rows(String tenant, long after, long until, int limit, Consumer<LakeRow> consumer) {
        return Objects.requireNonNull(
                database.many(
                                tenant,
                                db ->
                                        db.sql(
                                                        """
                                                        SELECT person_no, occurred_at, event_id, event_type, main_property,
                                                            session_id, user_id, anonymous_id, country, device, data::text,
                                                            received_at, stored_no
                                                        FROM behaviour_event
                                                        WHERE tenant_id = $1 AND stored_no > $2 AND stored_no <= $3
                                                        ORDER BY stored_no LIMIT $4\
                                                        """)
                                                .filter(s -> s.fetchSize(FETCH))
                                                .bind(0, tenant)
                                                .bind(1, after)
                                                .bind(2, until)
                                                .bind(3, limit)
                                                .map(row -> new Numbered(number(row, 12), row(row)))
                                                .all())
                        .publishOn(Schedulers.boundedElastic(), FETCH)
                        .doOnNext(row -> consumer.accept(row.row()))
                        .reduce(after, (last, row) -> row.number())
                        .block(LONG));
    }

    /** The persons' rows as they are, on a thread that may block. */
    void rowsOf(String tenant, Collection<Long> persons, Consumer<LakeRow> consumer) {
        database.many(
                        tenant,
                        db ->
                                db.sql(
                                                """
                                                SELECT person_no, occurred_at, event_id, event_type, main_property, session_id,
                                                    user_id, anonymous_id, country, device, data::text, received_at
                                                FROM behaviour_event WHERE tenant_id = $1 AND person_no = ANY($2)\
                                                """)
                                        .filter(s -> s.fetchSize(FETCH))
                                        .bind(0, tenant)
                                        .bind(1, persons.toArray(Long[]::new))
                                        .map(LakeManifest::row)
                                        .all())
                .publishOn(Schedulers.boundedElastic(), FETCH)
                .doOnNext(consumer)
                .then()
                .block(LONG);
    }

    /** Rows stored after another and wanted, in no order, on a thread that may block. */
    void rows(String tenant, long after, LakeReader.Selection wanted, Consumer<LakeRow> consumer) {
        var persons = wanted.persons();
        database.many(
                        tenant,
                        db ->
                                db.sql(
                                                """
                                                SELECT person_no, occurred_at, event_id, event_type, main_property, session_id,
                                                    user_id, anonymous_id, country, device, data::text, received_at
                                                FROM behaviour_event WHERE tenant_id = $1 AND stored_no > $2
                                                    AND occurred_at >= $3::timestamptz AND occurred_at < $4::timestamptz
                                                    AND (cardinality($5::text[]) = 0 OR event_type = ANY($5))
                                                    AND ($6 OR person_no = ANY($7))\
                                                """)
                                        .filter(s -> s.fetchSize(FETCH))
                                        .bind(0, tenant)
                                        .bind(1, after)
                                        .bind(2, wanted.range().start().toString())
                                        .bind(3, wanted.range().end().toString())
                                        .bind(4, wanted.types().toArray(String[]::new))
                                        .bind(5, persons == null)
                                        .bind(
                                                6,
                                                Objects.requireNonNullElse(persons, List.<Long>of())
                                                        .toArray(Long[]::new))
                                        .map(LakeManifest::row)
                                        .all())
                .publishOn(Schedulers.boundedElastic(), FETCH)
                .doOnNext(consumer)
                .then()
                .block(LONG);
    }

    /**
     * What is in files.
     *
     * @param flushedNo rows with a higher number are in none of them
     */
    record Contents(long revision, long flushedNo, List<LakeFile> files) {}

    /** The tenant's files at one moment, and up to where they go. */
    Contents contents(String tenant) {
        return one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        SELECT %s, l.flushed_no, l.revision FROM lake_tenant l
                                        LEFT JOIN lake_file f ON f.tenant_id = l.tenant_id WHERE l.tenant_id = $1\
                                        """
                                                .formatted(FILE_COLUMNS))
                                .bind(0, tenant)
                                .map(row ->
                                        new Contents(
                                                number(row, 10),
                                                number(row, 9),
                                                row.get(0, String.class) == null
                                                        ? List.of()
                                                        : List.of(file(row))))
                                .all()
                                .collectList()
                                .map(rows ->
                                        rows.isEmpty()
                                                ? new Contents(0, 0, List.of())
                                                : new Contents(
                                                        rows.getFirst().revision(),
                                                        rows.getFirst().flushedNo(),
                                                        rows.stream()
                                                                .flatMap(
                                                                        row -> row.files().stream())
                                                                .toList())));
    }

    /** The tenant's files. */
    List<LakeFile> files(String tenant) {
        return one(
                tenant,
                db ->
                        db.sql("SELECT " + FILE_COLUMNS + " FROM lake_file WHERE tenant_id = $1")
                                .bind(0, tenant)
                                .map(LakeManifest::file)
                                .all()
                                .collectList());
    }

    /**
     * Adds files of new rows.
     *
     * @param at what they are based on
     * @param until number of the last of the rows
     * @param covered every event accepted before is in files then; empty = as before
     * @return false when the files' base is not that any more, and nothing was changed
     */
    boolean flushed(
            String tenant,
            String owner,
            Boundary at,
            long until,
            Optional<Instant> covered,
            List<LakeFile> files) {
        return one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        UPDATE lake_tenant SET flushed_no = $4, flushed_at = now(), revision = revision + 1,
                                            covered_until = greatest(covered_until, nullif($5::timestamptz, 'epoch')),
                                            newest_received_at = greatest(newest_received_at, nullif($6::timestamptz, 'epoch'))
                                        WHERE tenant_id = $1 AND revision = $2 AND lease_owner = $3\
                                        """)
                                .bind(0, tenant)
                                .bind(1, at.revision())
                                .bind(2, owner)
                                .bind(3, until)
                                .bind(
                                        4,
                                        covered.orElse(Instant.EPOCH)
                                                .truncatedTo(ChronoUnit.MICROS)
                                                .toString())
                                .bind(
                                        5,
                                        files.stream()
                                                .map(LakeFile::maxReceivedAt)
                                                .max(Instant::compareTo)
                                                .orElse(Instant.EPOCH)
                                                .toString())
                                .fetch()
                                .rowsUpdated()
                                .flatMap(updated ->
                                        updated == 0
                                                ? Mono.just(false)
                                                : insert(tenant, files, db).thenReturn(true)));
    }

    /** Notes that there was nothing to do. */
    void lookedAfter(String tenant, String owner) {
        changed(
                tenant,
                db ->
                        db.sql(
                                        "UPDATE lake_tenant SET flushed_at = now() WHERE tenant_id = $1 AND lease_owner = $2")
                                .bind(0, tenant)
                                .bind(1, owner));
    }

    /**
     * Puts files in the place of others.
     *
     * @param revision on which the new ones are based
     * @return false when it is another by now, and nothing was changed
     */
    boolean replace(
            String tenant,
            String owner,
            long revision,
            Collection<LakeFile> old,
            Collection<LakeFile> files) {
        return one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        UPDATE lake_tenant SET revision = revision + 1
                                        WHERE tenant_id = $1 AND revision = $2 AND lease_owner = $3\
                                        """)
                                .bind(0, tenant)
                                .bind(1, revision)
                                .bind(2, owner)
                                .fetch()
                                .rowsUpdated()
                                .flatMap(updated ->
                                        updated == 0
                                                ? Mono.just(false)
                                                : db.sql(
                                                                "DELETE FROM lake_file WHERE tenant_id = $1 AND file = ANY($2)")
                                                        .bind(0, tenant)
                                                        .bind(1, texts(old, LakeFile::file))
                                                        .then()
                                                        .then(insert(tenant, files, db))
                                                        .thenReturn(true)));
    }

    /** Notes whose rows are blanked, so that files are written anew. Part of the transaction that blanks them. */
    public static Mono<Void> erased(String tenant, Collection<Long> persons, DatabaseClient db) {
        return db.sql(
                        """
                        INSERT INTO lake_erased (tenant_id, person_no) SELECT $1, unnest($2)
                        ON CONFLICT (tenant_id, person_no) DO UPDATE SET noted_at = now()\
                        """)
                .bind(0, tenant)
                .bind(1, persons.toArray(Long[]::new))
                .then();
    }

    /** Persons whom files may still identify. */
    List<Long> erased(String tenant) {
        return one(
                tenant,
                db ->
                        db.sql("SELECT person_no FROM lake_erased WHERE tenant_id = $1")
                                .bind(0, tenant)
                                .map(row -> number(row, 0))
                                .all()
                                .collectList());
    }

    boolean erasuresWait(String tenant) {
        return one(
                tenant,
                db ->
                        db.sql(
                                        "SELECT %s FROM lake_tenant l WHERE tenant_id = $1"
                                                .formatted(KeepLake.ERASURES_WAIT))
                                .bind(0, tenant)
                                .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                                .one());
    }

    /** Notes that no file identifies them any more. */
    void forgotten(String tenant, Collection<Long> persons) {
        changed(
                tenant,
                db ->
                        db.sql(
                                        "DELETE FROM lake_erased WHERE tenant_id = $1 AND person_no = ANY($2)")
                                .bind(0, tenant)
                                .bind(1, persons.toArray(Long[]::new)));
    }

    long revision(String tenant) {
        return one(
                tenant,
                db ->
                        db.sql("SELECT revision FROM lake_tenant WHERE tenant_id = $1")
                                .bind(0, tenant)
                                .map(row -> number(row, 0))
                                .one());
    }

    /** Whatever was written on another base does not count from now on; answers with the revision. */
    long raise(String tenant) {
        return one(tenant, db -> raise(tenant, db));
    }

    private static Mono<Long> raise(String tenant, DatabaseClient db) {
        return db.sql(
                        "UPDATE lake_tenant SET revision = revision + 1 WHERE tenant_id = $1 RETURNING revision")
                .bind(0, tenant)
                .map(row -> number(row, 0))
                .one();
    }

    /** As {@link #sendBack(String, Collection, DatabaseClient)}, in a transaction of its own. */
    void sendBack(String tenant, Collection<LocalDate> days) {
        database.one(
                        tenant,
                        db ->
                                db.sql("SELECT set_config('statement_timeout', '600000', true)")
                                        .then()
                                        .then(GenerationLock.holdChanges(tenant, db))
                                        .then(sendBack(tenant, days, db)))
                .block(LONG);
    }

    /**
     * Leaves out the files of some days, and takes their rows for new: what the files hold is not what the rows are any more. Part of a
     * transaction in which nobody else changes the tenant's rows.
     */
    public static Mono<Void> sendBack(
            String tenant, Collection<LocalDate> days, DatabaseClient db) {
        if (days.isEmpty()) {
            return Mono.empty();
        }
        var texts = days.stream().map(LocalDate::toString).toArray(String[]::new);
        return db.sql("DELETE FROM lake_file WHERE tenant_id = $1 AND day = ANY($2::date[])")
                .bind(0, tenant)
                .bind(1, texts)
                .then()
                .then(
                        db.sql(
                                        """
                                        UPDATE behaviour_event SET stored_no = DEFAULT
                                        WHERE tenant_id = $1 AND (occurred_at AT TIME ZONE 'UTC')::date = ANY($2::date[])
                                            AND stored_no <= (SELECT flushed_no FROM lake_tenant WHERE tenant_id = $1)
                                            AND occurred_at >= (SELECT min(d) FROM unnest($2::date[]) AS d)
                                                ::timestamp AT TIME ZONE 'UTC'
                                            AND occurred_at < (SELECT max(d) + 1 FROM unnest($2::date[]) AS d)
                                                ::timestamp AT TIME ZONE 'UTC'\
                                        """)
                                .bind(0, tenant)
                                .bind(1, texts)
                                .then())
                .then(raise(tenant, db))
                .then();
    }

    private static Mono<Void> insert(String tenant, Collection<LakeFile> files, DatabaseClient db) {
        if (files.isEmpty()) {
            return Mono.empty();
        }
        return db.sql(
                        """
                        INSERT INTO lake_file (tenant_id, %s, format)
                        SELECT $1, f, d::date, n, a::timestamptz, b::timestamptz, r::timestamptz, s::timestamptz, z, h, %d
                        FROM UNNEST($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                            $9::bigint[], $10::text[]) AS x(f, d, n, a, b, r, s, z, h)\
                        """
                                .formatted(FILE_COLUMNS, LakeFile.FORMAT))
                .bind(0, tenant)
                .bind(1, texts(files, LakeFile::file))
                .bind(2, texts(files, f -> f.day().toString()))
                .bind(3, files.stream().map(LakeFile::rows).toArray(Long[]::new))
                .bind(4, texts(files, f -> f.minOccurredAt().toString()))
                .bind(5, texts(files, f -> f.maxOccurredAt().toString()))
                .bind(6, texts(files, f -> f.minReceivedAt().toString()))
                .bind(7, texts(files, f -> f.maxReceivedAt().toString()))
                .bind(8, files.stream().map(LakeFile::bytes).toArray(Long[]::new))
                .bind(9, texts(files, LakeFile::sha256))
                .then();
    }

    private record Numbered(long number, LakeRow row) {}

    private static LakeRow row(Readable row) {
        return new LakeRow(
                number(row, 0),
                instant(row, 1),
                text(row, 2),
                text(row, 3),
                row.get(4, String.class),
                row.get(5, String.class),
                row.get(6, String.class),
                row.get(7, String.class),
                row.get(8, String.class),
                row.get(9, String.class),
                text(row, 10),
                instant(row, 11));
    }

    private static LakeFile file(Readable row) {
        return new LakeFile(
                text(row, 0),
                Objects.requireNonNull(row.get(1, LocalDate.class)),
                number(row, 2),
                instant(row, 3),
                instant(row, 4),
                instant(row, 5),
                instant(row, 6),
                number(row, 7),
                text(row, 8));
    }

    private boolean changed(
            String tenant, Function<DatabaseClient, DatabaseClient.GenericExecuteSpec> statement) {
        return one(tenant, db -> statement.apply(db).fetch().rowsUpdated()) > 0;
    }

    private <T> T one(String tenant, Function<DatabaseClient, Mono<T>> work) {
        return Objects.requireNonNull(database.one(tenant, work).block(LIMIT));
    }

    private static String[] texts(Collection<LakeFile> files, Function<LakeFile, String> text) {
        return files.stream().map(text).toArray(String[]::new);
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    private static Instant instant(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Instant.class));
    }

    private static long number(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, Long.class));
    }
}
