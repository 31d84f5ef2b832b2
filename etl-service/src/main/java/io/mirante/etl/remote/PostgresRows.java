package io.mirante.etl.remote;

import io.mirante.etl.quality.FileFormat;
import io.mirante.platform.outbound.RefusedAddressException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.ssl.DefaultJavaSSLFactory;
import reactor.core.Exceptions;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/**
 * Fetches rows by COPY into a CSV file, one row in memory at a time, in a transaction that reads one state of the database and may not
 * write. A connection that fails or breaks is made anew, {@value #TRIES} times in all, and begins from the first row.
 */
public final class PostgresRows {

    private static final int TRIES = 3;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(300);
    private static final int CONNECT_SECONDS = 10;
    private static final long TELL_EVERY = 1_000_000;

    /** Too many connections, and a server that ends, starts or hands over. */
    private static final Set<String> PASSING = Set.of("53300", "57P01", "57P02", "57P03");

    private final String allowedHosts;
    private final long maxBytes;
    private final Duration timeout;

    /**
     * Rows that may be fetched.
     *
     * @param allowedHosts hosts that are let through although private
     * @param maxBytes of all rows as CSV
     * @param timeout of a statement
     */
    public PostgresRows(Collection<String> allowedHosts, long maxBytes, Duration timeout) {
        this.allowedHosts = String.join(",", allowedHosts);
        this.maxBytes = maxBytes;
        this.timeout = timeout;
    }

    /**
     * Does it.
     *
     * @param after only rows whose watermark column is greater; null = all
     * @param folder an empty one
     * @param progress is told what is under way, now and then; may throw to end it
     */
    public Fetched fetch(
            PostgresPlace place,
            @Nullable String after,
            Credentials credentials,
            Path folder,
            Consumer<String> progress)
            throws IOException, FetchFailedException {
        var file = folder.resolve("rows.csv");
        try {
            return Objects.requireNonNull(
                    Mono.fromCallable(() -> once(place, after, credentials, file, progress))
                            .retryWhen(
                                    Retry.backoff(TRIES - 1, FIRST_PAUSE)
                                            .filter(PostgresRows::passes)
                                            .onRetryExhaustedThrow(
                                                    (spec, signal) -> signal.failure()))
                            .block());
        } catch (RuntimeException e) {
            switch (Exceptions.unwrap(e)) {
                case SQLException sql -> throw new FetchFailedException(reason(sql, place), sql);
                case FetchFailedException failed -> throw failed;
                case IOException io -> throw io;
                default -> throw e;
            }
        }
    }

    /** Highest value of the watermark column; empty when there is no row, or no such column. */
    public Optional<String> position(PostgresPlace place, Credentials credentials)
            throws FetchFailedException {
        try (var connection = connect(place, credentials)) {
            begin(connection);
            var query = place.query();
            if (query != null) {
                refuseOthersThanOneSelect(connection, query);
            }
            return Optional.ofNullable(highest(connection, place, rows(place, null)));
        } catch (SQLException e) {
            throw new FetchFailedException(reason(e, place), e);
        }
    }

    private Fetched once(
            PostgresPlace place,
            @Nullable String after,
            Credentials credentials,
            Path file,
            Consumer<String> progress)
            throws SQLException, IOException, FetchFailedException {
        progress.accept("connecting to " + place);
        try (var connection = connect(place, credentials)) {
            begin(connection);
            var query = place.query();
            if (query != null) {
                refuseOthersThanOneSelect(connection, query);
            }
            var rows = rows(place, after);
            var watermark = highest(connection, place, rows);
            copy(connection, rows, file, progress);
            connection.rollback();
            return new Fetched(List.of(file), FileFormat.COPIED, watermark);
        }
    }

    private Connection connect(PostgresPlace place, Credentials credentials) throws SQLException {
        var source = new PGSimpleDataSource();
        source.setServerNames(new String[] {place.host()});
        source.setPortNumbers(new int[] {place.port()});
        source.setDatabaseName(place.database());
        source.setUser(credentials.name());
        source.setPassword(credentials.secret());
        source.setApplicationName("mirante");
        source.setConnectTimeout(CONNECT_SECONDS);
        source.setSocketTimeout(Math.toIntExact(timeout.toSeconds()) + CONNECT_SECONDS);
        source.setTcpKeepAlive(true);
        source.setSslMode(place.tls());
        source.setSslfactory(DefaultJavaSSLFactory.class.getName());
        source.setGssEncMode("disable");
        source.setSocketFactory(GuardedSockets.class.getName());
        source.setProperty(PGProperty.SOCKET_FACTORY_ARG, allowedHosts);
        var connection = source.getConnection();
        connection.setAutoCommit(false);
        return connection;
    }

    private void begin(Connection connection) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
            statement.execute("SET LOCAL statement_timeout = " + timeout.toMillis());
            statement.execute("SET LOCAL TimeZone = 'UTC'");
            statement.execute("SET LOCAL DateStyle = 'ISO'");
            statement.execute("SET LOCAL standard_conforming_strings = on");
        }
    }

    /**
     * A query becomes part of a longer statement, which a semicolon or bracket within it could end: so PostgreSQL first parses it alone,
     * as a cursor's, and refuses what is no single statement with rows. Nothing of it is executed.
     */
    private static void refuseOthersThanOneSelect(Connection connection, String query)
            throws SQLException {
        try (var keep =
                connection.prepareStatement("SELECT set_config('mirante.query', ?, true)")) {
            keep.setString(1, query);
            keep.execute();
        }
        try (var open = connection.createStatement()) {
            open.execute(
                    "DO $$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE current_setting('mirante.query'); CLOSE c; END $$");
        }
    }

    private static String rows(PostgresPlace place, @Nullable String after) {
        var watermark = place.watermark();
        var all = "FROM %s AS source".formatted(place.relation());
        return watermark == null || after == null
                ? all
                : "%s WHERE source.%s > '%s'"
                        .formatted(all, PostgresPlace.name(watermark), after.replace("'", "''"));
    }

    private static @Nullable String highest(Connection connection, PostgresPlace place, String rows)
            throws SQLException {
        var watermark = place.watermark();
        if (watermark == null) {
            return null;
        }
        var column = PostgresPlace.name(watermark);
        try (var statement = unescaped(connection);
                var row =
                        // A bare w would be the text.
                        statement.executeQuery(
                                "SELECT w::text FROM (SELECT source.%s AS w %s) AS marks WHERE w IS NOT NULL ORDER BY marks.w DESC LIMIT 1"
                                        .formatted(column, rows))) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** Braces are the query's own. */
    private static Statement unescaped(Connection connection) throws SQLException {
        var statement = connection.createStatement();
        statement.setEscapeProcessing(false);
        return statement;
    }

    private void copy(Connection connection, String rows, Path file, Consumer<String> progress)
            throws SQLException, IOException, FetchFailedException {
        var copy =
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyOut(
                                "COPY (SELECT * %s) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
                                        .formatted(rows));
        try (var out = Files.newOutputStream(file)) {
            write(copy::readFromCopy, out, progress);
        } finally {
            if (copy.isActive()) {
                copy.cancelCopy();
            }
        }
    }

    private interface Rows {
        byte @Nullable [] next() throws SQLException;
    }

    private void write(Rows rows, OutputStream out, Consumer<String> progress)
            throws SQLException, IOException, FetchFailedException {
        long bytes = 0;
        long told = 0;
        try (var buffered = new BufferedOutputStream(out, 1 << 16)) {
            for (var row = rows.next(); row != null; row = rows.next()) {
                bytes += row.length;
                if (bytes > maxBytes) {
                    throw new FetchFailedException(
                            "there are more than the %d bytes of MAX_SOURCE_SIZE; read less with a query, or by a watermark"
                                    .formatted(maxBytes),
                            null);
                }
                buffered.write(row);
                if (bytes - told >= TELL_EVERY) {
                    told = bytes;
                    progress.accept("fetched %d MB".formatted(bytes / 1_000_000));
                }
            }
        }
    }

    private static boolean passes(Throwable error) {
        return error instanceof SQLException sql
                && !isRefused(sql)
                && sql.getSQLState() != null
                && (sql.getSQLState().startsWith("08") || PASSING.contains(sql.getSQLState()));
    }

    private static boolean isRefused(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof RefusedAddressException) {
                return true;
            }
        }
        return false;
    }

    private static String reason(SQLException error, PostgresPlace place) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof RefusedAddressException refused) {
                return "%s cannot be read: %s".formatted(place, refused.getMessage());
            }
        }
        var state = Objects.requireNonNullElse(error.getSQLState(), "");
        if (state.startsWith("28")) {
            return "%s refuses the user or the password (%s); create the source again with the right ones"
                    .formatted(place, state);
        }
        var message = String.valueOf(error.getMessage()).lines().findFirst().orElse("").strip();
        return "%s cannot be read: %s%s"
                .formatted(
                        place, message, passes(error) ? " (tried %d times)".formatted(TRIES) : "");
    }
}
