package io.mirante.snapshot.lake;

import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.ProblemException;
import io.mirante.platform.web.TimeRange;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.duckdb.DuckDBConnection;
import org.duckdb.DuckDBDriver;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Reads a tenant's events, each once: those that are in files with DuckDB, all others from PostgreSQL. What the files hold is
 * compared before and after; when it changed meanwhile, everything is read again. Thread-safe.
 */
@Component
public final class LakeReader implements DisposableBean {

    private static final Logger LOG = LoggerFactory.getLogger(LakeReader.class);

    /** PostgreSQL has that long for the next row. */
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private static final int FETCH = 10_000;
    private static final int TRIES = 5;
    private static final int AT_ONCE = 2;
    private static final int WAITING = 50;
    private static final Duration SOON = Duration.ofSeconds(5);

    private final LakeManifest manifest;
    private final LakeFolder folder;
    private final TenantDatabase database;
    private @Nullable DuckDBConnection duckdb;

    /** Of their own, so that those who wait for their turn hold up nothing that one under way needs. */
    private final Scheduler threads =
            Schedulers.newBoundedElastic(AT_ONCE, WAITING / AT_ONCE, "lake-question");

    LakeReader(LakeManifest manifest, LakeSettings settings, TenantDatabase database) {
        this.manifest = manifest;
        this.folder = new LakeFolder(settings.folder());
        this.database = database;
    }

    /** A connection to the one DuckDB of all questions, which begins with the first. */
    private synchronized Connection connect() throws SQLException {
        if (duckdb == null) {
            duckdb = open();
        }
        return duckdb.duplicate();
    }

    private static DuckDBConnection open() throws SQLException {
        var properties = new Properties();
        properties.setProperty(DuckDBDriver.JDBC_STREAM_RESULTS, "true");
        properties.setProperty("memory_limit", "256MB");
        properties.setProperty(
                "threads", Integer.toString(Runtime.getRuntime().availableProcessors()));
        properties.setProperty("preserve_insertion_order", "false");
        var opened =
                DriverManager.getConnection("jdbc:duckdb:", properties)
                        .unwrap(DuckDBConnection.class);
        try (var statement = opened.createStatement()) {
            statement.execute("SET GLOBAL parquet_metadata_cache = true");
        }
        return opened;
    }

    /**
     * Which events are wanted.
     *
     * @param types of these types; empty = of all
     * @param mask an integer expression over an event's columns that PostgreSQL and DuckDB read alike; its parameters are
     *     {@code $1}, {@code $2}, …; 0 = not wanted
     * @param arguments of the mask
     * @param data what is read of an event as text: an expression over {@link #EVENT_DATA}, type, main property, country,
     *     device and the mask that both read alike; null = nothing
     * @param afterPerson only persons with a higher number
     * @param untilPerson number of the last person wanted
     */
    public record Scan(
            TimeRange range,
            List<String> types,
            String mask,
            List<String> arguments,
            @Nullable String data,
            long afterPerson,
            long untilPerson) {

        /** An event's data as JSON text, in one line. */
        public static final String EVENT_DATA = "data::text";

        public Scan(
                TimeRange range,
                List<String> types,
                String mask,
                List<String> arguments,
                @Nullable String data) {
            this(range, types, mask, arguments, data, Long.MIN_VALUE, Long.MAX_VALUE);
        }

        boolean withData() {
            return data != null;
        }

        /** The same of some persons. */
        public Scan of(long after, long until) {
            return new Scan(range, types, mask, arguments, data, after, until);
        }

        public Scan {
            types = List.copyOf(types);
            arguments = List.copyOf(arguments);
        }
    }

    /**
     * How much files hold.
     *
     * @param rows of all types and persons, in files that reach into the range
     * @param highestPerson of these files; 0 when there are none
     */
    public record Extent(long rows, long highestPerson) {}

    /** Takes events in, in no order. Used by one thread at a time. */
    public interface Sink {
        /**
         * An event.
         *
         * @param micros of {@code occurred_at}, µs since 1970
         * @param data the text that the scan asks for; null when it asks for none
         */
        void add(long person, long micros, int mask, @Nullable String data);
    }

    /**
     * Answers a question that blocks, two at once; when fifty wait already, 503.
     *
     * @param question may call {@link #read}
     */
    public <T> Mono<T> ask(Callable<T> question) {
        return Mono.fromCallable(question)
                .subscribeOn(threads)
                .onErrorMap(
                        RejectedExecutionException.class,
                        e ->
                                ProblemException.unavailable(
                                        "too many questions about behaviour wait to be answered",
                                        SOON));
    }

    /**
     * Reads what is wanted; blocks, so part of a question that is {@linkplain #ask asked}.
     *
     * @param sinks gives an empty one for each try
     * @return the one that has all events
     */
    public <S extends Sink> S read(String tenant, Scan scan, Supplier<S> sinks) {
        boolean files = true;
        for (int i = 0; i < TRIES; i++) {
            var at = manifest.contents(tenant);
            var sink = sinks.get();
            try {
                if (files) {
                    files(scan, at.files(), sink);
                }
            } catch (SQLException e) {
                unreadable(tenant, e);
                files = false;
                continue;
            }
            tail(tenant, scan, files ? at.flushedNo() : 0, sink);
            if (!files || manifest.contents(tenant).revision() == at.revision()) {
                return sink;
            }
        }
        throw changing(tenant);
    }

    /**
     * Which events are wanted whole.
     *
     * @param types of these; empty = of all
     * @param persons of persons with these numbers; null = of all, and of none
     */
    public record Selection(TimeRange range, List<String> types, @Nullable List<Long> persons) {

        public Selection {
            types = List.copyOf(types);
            persons = persons == null ? null : List.copyOf(persons);
        }
    }

    /** Takes whole events in. Used by one thread at a time. */
    public interface Copy {

        /** Begins, again when what was taken in does not count. */
        void begin() throws SQLException;

        /** An event that is in no file. */
        void add(LakeRow row);

        /**
         * All others; the last call of a try.
         *
         * @param files a DuckDB query for them, columns as of {@link LakeRow}; null = there are none
         * @throws SQLException when they cannot be read
         */
        void finish(@Nullable String files) throws SQLException;
    }

    /**
     * Hands over what is wanted, each event once; blocks.
     *
     * @throws SQLException when the copy cannot be made whatever the files are
     */
    public void copy(String tenant, Selection wanted, Copy copy) throws SQLException {
        boolean files = true;
        for (int i = 0; i < TRIES; i++) {
            var at = manifest.contents(tenant);
            copy.begin();
            manifest.rows(tenant, files ? at.flushedNo() : 0, wanted, copy::add);
            try {
                copy.finish(files ? select(wanted, within(wanted.range(), at.files())) : null);
            } catch (SQLException e) {
                if (!files) {
                    throw e;
                }
                unreadable(tenant, e);
                files = false;
                continue;
            }
            if (!files || manifest.contents(tenant).revision() == at.revision()) {
                return;
            }
        }
        throw changing(tenant);
    }

    private @Nullable String select(Selection wanted, List<LakeFile> files) {
        var persons = wanted.persons();
        if (files.isEmpty() || (persons != null && persons.isEmpty())) {
            return null;
        }
        var types = wanted.types().stream().map(LakeFolder::text).collect(Collectors.joining(", "));
        return "SELECT * FROM %s WHERE occurred_at >= '%s'::timestamptz AND occurred_at < '%s'::timestamptz%s%s"
                .formatted(
                        folder.parquet(files),
                        wanted.range().start(),
                        wanted.range().end(),
                        types.isEmpty() ? "" : " AND event_type IN (" + types + ")",
                        persons == null
                                ? ""
                                : persons.stream()
                                        .map(String::valueOf)
                                        .collect(
                                                Collectors.joining(
                                                        ", ", " AND person_no IN (", ")")));
    }

    private static void unreadable(String tenant, SQLException e) {
        // All events are in PostgreSQL too; files that are lost are written anew.
        LOG.atWarn()
                .addKeyValue("tenant_id", tenant)
                .setCause(e)
                .log("a file of the lake cannot be read, PostgreSQL is asked instead");
    }

    private static IllegalStateException changing(String tenant) {
        return new IllegalStateException(
                "the lake of %s changed %d times while it was read".formatted(tenant, TRIES));
    }

    /** How much there is to read in files, so that a question can be divided; blocks. */
    public Extent extent(String tenant, TimeRange range) {
        var files = within(range, manifest.contents(tenant).files());
        long rows = files.stream().mapToLong(LakeFile::rows).sum();
        if (files.isEmpty()) {
            return new Extent(0, 0);
        }
        try (var connection = connect();
                var statement = connection.createStatement();
                var row =
                        statement.executeQuery(
                                "SELECT max(person_no) FROM " + folder.parquet(files))) {
            row.next();
            return new Extent(rows, row.getLong(1));
        } catch (SQLException e) {
            // Whoever reads them finds out, too.
            return new Extent(0, 0);
        }
    }

    private static List<LakeFile> within(TimeRange range, List<LakeFile> files) {
        return files.stream()
                .filter(file ->
                        file.minOccurredAt().isBefore(range.end())
                                && !file.maxOccurredAt().isBefore(range.start()))
                .toList();
    }

    private void files(Scan scan, List<LakeFile> all, Sink sink) throws SQLException {
        var files = within(scan.range(), all);
        if (files.isEmpty()) {
            return;
        }
        var arguments = new ArrayList<>(scan.arguments());
        var sql = select(scan, "epoch_us(occurred_at)", folder.parquet(files), arguments);
        try (var connection = connect();
                var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.size(); i++) {
                statement.setString(i + 1, arguments.get(i));
            }
            try (var rows = statement.executeQuery()) {
                while (rows.next()) {
                    sink.add(
                            rows.getLong(1),
                            rows.getLong(2),
                            rows.getInt(3),
                            scan.withData() ? rows.getString(4) : null);
                }
            }
        }
    }

    private void tail(String tenant, Scan scan, long flushedNo, Sink sink) {
        var arguments = new ArrayList<>(scan.arguments());
        arguments.add(tenant);
        var sql =
                select(
                        scan,
                        "(extract(epoch FROM occurred_at) * 1000000)::bigint",
                        "(SELECT * FROM behaviour_event WHERE tenant_id = $%d AND stored_no > %d) e"
                                .formatted(arguments.size(), flushedNo),
                        arguments);
        var rows =
                database.many(
                        tenant,
                        db -> {
                            DatabaseClient.GenericExecuteSpec spec =
                                    db.sql(sql).filter(st -> st.fetchSize(FETCH));
                            for (int i = 0; i < arguments.size(); i++) {
                                spec = spec.bind(i, arguments.get(i));
                            }
                            return spec.map(row ->
                                            new Row(
                                                    Objects.requireNonNull(row.get(0, Long.class)),
                                                    Objects.requireNonNull(row.get(1, Long.class)),
                                                    Objects.requireNonNull(
                                                            row.get(2, Integer.class)),
                                                    scan.withData()
                                                            ? row.get(3, String.class)
                                                            : null))
                                    .all();
                        });
        for (var row : rows.timeout(LIMIT).toIterable(FETCH)) {
            sink.add(row.person(), row.micros(), row.mask(), row.data());
        }
    }

    private record Row(long person, long micros, int mask, @Nullable String data) {}

    private static String select(Scan scan, String micros, String events, List<String> arguments) {
        int before = arguments.size();
        arguments.add(scan.range().start().toString());
        arguments.add(scan.range().end().toString());
        arguments.addAll(scan.types());
        var types =
                IntStream.range(0, scan.types().size())
                        .mapToObj(i -> "$" + (before + 3 + i))
                        .collect(Collectors.joining(", "));
        return """
        SELECT person_no, %s AS micros, mask%s FROM (
            SELECT person_no, occurred_at, event_type, main_property, country, device, data, %s AS mask FROM %s
            WHERE occurred_at >= $%d::timestamptz AND occurred_at < $%d::timestamptz%s%s) m
        WHERE mask <> 0\
        """
                .formatted(
                        micros,
                        scan.withData() ? ", " + scan.data() + " AS data" : "",
                        scan.mask(),
                        events,
                        before + 1,
                        before + 2,
                        types.isEmpty() ? "" : " AND event_type IN (" + types + ")",
                        persons(scan));
    }

    private static String persons(Scan scan) {
        return (scan.afterPerson() == Long.MIN_VALUE
                        ? ""
                        : " AND person_no > " + scan.afterPerson())
                + (scan.untilPerson() == Long.MAX_VALUE
                        ? ""
                        : " AND person_no <= " + scan.untilPerson());
    }

    @Override
    public synchronized void destroy() throws SQLException {
        threads.dispose();
        if (duckdb != null) {
            duckdb.close();
            duckdb = null;
        }
    }
}
