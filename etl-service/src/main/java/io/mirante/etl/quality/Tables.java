package io.mirante.etl.quality;

import io.mirante.platform.erasure.PersonFiles.Csv;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * A run's tables, in a DuckDB of its own that goes with it: {@code raw} as the file has it, texts but for what Parquet knows the
 * type of; {@code typed}, the same rows as what they are to be, with why a row is rejected; {@code clean}, the rows that are
 * not. Memory is bounded, what does not fit is on disk. Used by one thread.
 */
public final class Tables implements AutoCloseable {
    /** Every row given. */
    static final String TYPED = "typed";

    /** The rows that were kept. */
    public static final String CLEAN = "clean";

    /** A row's number, from 1. */
    static final String ROW = "_row";

    /** What users did, by the table's {@link EventMapping}. */
    public static final String EVENTS = "user_event";

    private static final String REASONS = "_reasons";

    /** What other systems call what Mirante has a name for. */
    private static final Map<String, String> TYPES =
            Map.ofEntries(
                    Map.entry("bet", "bet_placed"),
                    Map.entry("aposta", "bet_placed"),
                    Map.entry("win", "bet_settled"),
                    Map.entry("payout", "bet_settled"),
                    Map.entry("deposito", "deposit"),
                    Map.entry("depósito", "deposit"),
                    Map.entry("withdraw", "withdrawal"),
                    Map.entry("saque", "withdrawal"),
                    Map.entry("buy", "purchase"),
                    Map.entry("sale", "purchase"),
                    Map.entry("compra", "purchase"),
                    Map.entry("reembolso", "refund"));

    /** A value as it was given, without the space around it. */
    private static final String TEXT_SUFFIX = "__text";

    /** Rows of {@link #TYPED}; it adds the texts that are not stored. */
    private static final String ROWS = "typed_row";

    /** Rows that repeat the key, or all, of an earlier one. */
    private static final String AGAIN = "again";

    private static final Set<String> WHOLE =
            Set.of("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER");
    private static final Set<String> TIMES =
            Set.of("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE");
    private static final String VARCHAR = "VARCHAR";

    private static final int MAX_COLUMNS = 500;

    /** That are fetched: DuckDB holds a whole result in memory. */
    private static final long ROWS_AT_ONCE = 50_000;

    private static final int SAMPLES = 5;
    private static final int SAMPLE_LENGTH = 80;
    private static final String NUMBER_WITH_COMMA = "^-?\\d{1,3}(\\.\\d{3})+,\\d+$|^-?\\d+,\\d+$";
    private static final String SPACE =
            "(' ' || chr(9) || chr(10) || chr(12) || chr(13) || chr(160) || chr(65279) || chr(8203))";
    private static final String NOTHING = "('', 'NULL', 'N/A', '#N/A', 'NAN', 'NONE', '?', '-')";

    /** Bytes of the longest of these. */
    private static final int NOTHING_LENGTH = 4;

    private static final double MOSTLY = 0.95;

    private static final String COPIED = ", delim = ',', quote = '\"', escape = '\"'";

    /** Several things may be wrong with a line. */
    private static final String UNREAD =
            "SELECT count(DISTINCT (scan_id, line)) FROM reject_errors";

    private final Path scratch;
    private final DuckDBConnection duckdb;
    private final Connection connection;
    private final Set<Statement> statements = ConcurrentHashMap.newKeySet();
    private List<String> given = List.of();

    /** Types of Parquet's columns. */
    private final Map<String, String> types = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    /** Columns of {@link #TYPED} whose value is what was given, so that its text need not be kept. */
    private Set<String> direct = Set.of();

    private boolean asGiven;

    /**
     * Opens an empty one.
     *
     * @param scratch begins the names of what is written to disk; what a run that was cut short left there goes
     */
    public Tables(Path scratch) throws IOException, SQLException {
        this.scratch = scratch;
        delete(scratch);
        this.duckdb = DriverManager.getConnection("jdbc:duckdb:").unwrap(DuckDBConnection.class);
        this.connection = noting(duckdb);
        execute("SET memory_limit = '512MB'");
        execute("SET threads = 2");
        execute("SET temp_directory = " + Sql.text(spill(scratch).toString()));
        execute("SET TimeZone = 'UTC'");
        execute("SET autoinstall_known_extensions = false");
    }

    /** Reads one file, plain or gzip. */
    public void read(Path file, FileFormat format)
            throws IOException, SQLException, UnreadableTableException {
        read(List.of(file), format);
    }

    /**
     * Reads files of one form, each plain or gzip, one after the other into one table of all their columns; lines that are no rows are
     * counted as rejected. After this nothing outside can be reached.
     *
     * @throws UnreadableTableException when one of them holds no table of that format
     */
    public void read(List<Path> files, FileFormat format)
            throws IOException, SQLException, UnreadableTableException {
        if (format == FileFormat.PARQUET) {
            each(files, format, this::learnTypes);
        }
        each(files, format, this::add);
        if (!isCsv(format)) {
            execute(
                    "CREATE TABLE reject_errors (scan_id BIGINT, line BIGINT, error_message VARCHAR)");
        }
        isolate();
    }

    private interface Step {
        void take(String source) throws SQLException, UnreadableTableException;
    }

    private static void each(List<Path> files, FileFormat format, Step step)
            throws IOException, SQLException, UnreadableTableException {
        for (int i = 0; i < files.size(); i++) {
            var file = files.get(i);
            try {
                step.take(source(file, format));
            } catch (SQLException e) {
                if (isOfThisMachine(e)) {
                    throw e;
                }
                var called = files.size() == 1 ? "the file" : "file %d".formatted(i + 1);
                throw new UnreadableTableException(
                        "%s is not readable as %s: %s; %s"
                                .formatted(
                                        called,
                                        format.label(),
                                        firstLine(e).replace(file.toString(), called),
                                        format.remedy()));
            }
        }
    }

    /** No disk or memory is left for the tables, which is not the file's fault. */
    private static boolean isOfThisMachine(SQLException e) {
        var said = String.valueOf(e.getMessage());
        return said.contains("No space left on device")
                || said.contains("Could not write file")
                || said.startsWith("Out of Memory Error");
    }

    private static boolean isCsv(FileFormat format) {
        return format == FileFormat.CSV || format == FileFormat.COPIED;
    }

    private static String source(Path file, FileFormat format) throws IOException {
        boolean packed = Gzip.is(file);
        String path = Sql.text(file.toString());
        return switch (format) {
            case CSV, COPIED ->
                    "read_csv(%s)"
                            .formatted(
                                    csv(path, packed, format == FileFormat.COPIED ? COPIED : ""));
            case NDJSON, JSON ->
                    "read_json(%s, format = '%s', maximum_object_size = 1048576, ignore_errors = %s, sample_size = 100000, compression = '%s')"
                            .formatted(
                                    path,
                                    format == FileFormat.JSON ? "array" : "newline_delimited",
                                    format == FileFormat.NDJSON,
                                    packed ? "gzip" : "uncompressed");
            case PARQUET -> "read_parquet(%s)".formatted(path);
        };
    }

    private static String csv(String path, boolean packed, String form) {
        return "%s, header = true, all_varchar = true, ignore_errors = true, store_rejects = true,"
                        .formatted(path)
                + " rejects_limit = 0, null_padding = false, max_line_size = 1048576, compression = '%s'%s"
                        .formatted(packed ? "gzip" : "none", form);
    }

    /** How a run would take a file of CSV to be written; empty when it could not read it. */
    public static Optional<Csv> sniff(Path file) throws IOException {
        var call =
                "SELECT Delimiter, Quote, Escape FROM sniff_csv(%s)"
                        .formatted(csv(Sql.text(file.toString()), Gzip.is(file), ""));
        try (var connection = DriverManager.getConnection("jdbc:duckdb:");
                var statement = connection.createStatement()) {
            statement.execute("SET memory_limit = '256MB'");
            statement.execute("SET threads = 1");
            try (var row = statement.executeQuery(call)) {
                row.next();
                var quote = row.getString(2);
                return Optional.of(
                        new Csv(
                                row.getString(1),
                                quote.equals("'") ? '\'' : '"',
                                row.getString(3).equals("\\")));
            }
        } catch (SQLException e) {
            return Optional.empty();
        }
    }

    /** Notes the type of each column that is one and the same in all files, and that a text would add nothing to. */
    private void learnTypes(String source) throws SQLException {
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM %s)"
                                        .formatted(source))) {
            while (rows.next()) {
                var type = rows.getString(2);
                types.merge(
                        rows.getString(1),
                        isPlain(type) ? type : VARCHAR,
                        (one, other) -> one.equals(other) ? one : VARCHAR);
            }
        }
    }

    private static boolean isPlain(String type) {
        return WHOLE.contains(type)
                || TIMES.contains(type)
                || type.equals("DOUBLE")
                || type.equals("BOOLEAN")
                || type.startsWith("DECIMAL");
    }

    private void add(String source) throws SQLException, UnreadableTableException {
        var named =
                given.isEmpty() && types.isEmpty()
                        ? List.<String>of()
                        : columns("SELECT * FROM " + source);
        var values =
                types.isEmpty()
                        ? "CAST(COLUMNS(*) AS VARCHAR)"
                        : named.stream()
                                .map(name ->
                                        "CAST(%1$s AS %2$s) AS %1$s"
                                                .formatted(Sql.name(name), type(name)))
                                .collect(Collectors.joining(", "));
        if (given.isEmpty()) {
            execute("CREATE TABLE raw AS SELECT %s FROM %s".formatted(values, source));
        } else {
            for (var name : named) {
                if (given.stream().noneMatch(name::equalsIgnoreCase)) {
                    execute(
                            "ALTER TABLE raw ADD COLUMN %s %s"
                                    .formatted(Sql.name(name), type(name)));
                }
            }
            execute("INSERT INTO raw BY NAME SELECT %s FROM %s".formatted(values, source));
        }
        given = columns("raw");
        if (given.size() > MAX_COLUMNS) {
            throw new UnreadableTableException(
                    "the file has %d columns, at most %d are allowed"
                            .formatted(given.size(), MAX_COLUMNS));
        }
    }

    private List<String> columns(String of) throws SQLException {
        return texts("SELECT column_name FROM (DESCRIBE %s)".formatted(of));
    }

    private String type(String column) {
        return types.getOrDefault(column, VARCHAR);
    }

    /** What a column of {@code raw} has, as text. */
    private String given(String column) {
        return type(column).equals(VARCHAR)
                ? Sql.name(column)
                : "CAST(%s AS VARCHAR)".formatted(Sql.name(column));
    }

    /** Columns of the file, as it names them. */
    List<String> given() {
        return given;
    }

    /** What the table seems to be: transactions by their columns, else each column's type by most of its values. */
    public TableShape guess() throws SQLException {
        if (given.containsAll(TableShape.TRANSACTION_COLUMNS)) {
            return TableShape.TRANSACTIONS;
        }
        var columns = new ArrayList<TableShape.Column>();
        for (var name : given) {
            columns.add(TableShape.Column.of(name, kind(name)));
        }
        return new TableShape(columns, List.of(), null, null, List.of(), false);
    }

    private ColumnType kind(String column) throws SQLException {
        var text = unlessNothing(withoutSpace(given(column)));
        for (var type :
                List.of(
                        ColumnType.INTEGER,
                        ColumnType.NUMBER,
                        ColumnType.TIMESTAMP,
                        ColumnType.BOOLEAN)) {
            double share =
                    number(
                            "SELECT coalesce(count(typed) / nullif(count(text), 0), 0) FROM (SELECT %s AS text, %s AS typed FROM raw)"
                                    .formatted(text, typed(text, type, asNumber(text))));
            if (share >= MOSTLY) {
                return type;
            }
        }
        return ColumnType.TEXT;
    }

    /**
     * Makes the typed and the clean table.
     *
     * @throws UnreadableTableException when the shape names what the file does not have
     */
    public QualityReport.Cleaning clean(TableShape shape)
            throws SQLException, UnreadableTableException {
        check(shape);
        direct = direct(shape);
        boolean repeats = findRepeats(shape);
        execute(
                "CREATE TABLE %s AS SELECT %s, %s AS %s FROM (%s)"
                        .formatted(
                                ROWS,
                                kept(shape),
                                list(reasons(shape, repeats)),
                                REASONS,
                                typed(shape.columns())));
        if (repeats) {
            execute("DROP TABLE " + AGAIN);
        }
        var texts =
                shape.columns().stream()
                        .filter(column -> !hasText(column))
                        .map(column -> textOfValue(column.name()) + ", ")
                        .collect(Collectors.joining());
        execute("CREATE VIEW typed AS SELECT %s* FROM %s".formatted(texts, ROWS));
        execute("CREATE VIEW clean AS SELECT * FROM typed WHERE len(%s) = 0".formatted(REASONS));
        return new QualityReport.Cleaning(
                count("SELECT count(*) FROM typed") + count(UNREAD),
                count("SELECT count(*) FROM clean"),
                changes(shape),
                rejected());
    }

    /** Columns whose values are what they are to be already, every one of them. */
    private Set<String> direct(TableShape shape) throws SQLException {
        var same = new ArrayList<String>();
        var conditions = new ArrayList<String>();
        for (var column : shape.columns()) {
            var condition = sameWhen(column);
            if (condition != null) {
                same.add(column.name());
                conditions.add("coalesce(bool_and(%s), true)::int".formatted(condition));
            }
        }
        var all = new HashSet<String>();
        if (!same.isEmpty()) {
            var holds = numbers("SELECT %s FROM raw".formatted(String.join(", ", conditions)));
            for (int i = 0; i < holds.length; i++) {
                if (holds[i] == 1) {
                    all.add(same.get(i));
                }
            }
        }
        return all;
    }

    /** Under which condition a column's value is what its text would be read as; null = never. */
    private @Nullable String sameWhen(TableShape.Column column) {
        var given = type(column.name());
        var name = Sql.name(column.name());
        return switch (column.type()) {
            case TEXT -> given.equals(VARCHAR) ? sameText(name) : null;
            case NUMBER ->
                    WHOLE.contains(given) || given.startsWith("DECIMAL")
                            ? "true"
                            : given.equals("DOUBLE") ? "isfinite(%s)".formatted(name) : null;
            case INTEGER ->
                    WHOLE.contains(given) ? "abs(%s::hugeint) < 9e15".formatted(name) : null;
            case BOOLEAN -> given.equals("BOOLEAN") ? "true" : null;
            case TIMESTAMP -> TIMES.contains(given) ? "isfinite(%s)".formatted(name) : null;
        };
    }

    /** Under which condition there is nothing to clean in a text, nor to tell of it. */
    private String sameText(String name) {
        var same =
                asGiven
                        ? "true"
                        : "%s IS NOT NULL AND %s = %s"
                                .formatted(unlessNothing(name), withoutSpace(name), name);
        return "%1$s IS NULL OR (NOT contains(%1$s, chr(65533)) AND %2$s)".formatted(name, same);
    }

    /** Whether a column of a table may have been given something that is not of its type. */
    boolean mayBeOther(String table, TableShape.Column column) {
        return (table.equals(TYPED) || table.equals(CLEAN)) && hasText(column);
    }

    /** What is null where a row of a table was given nothing in a column. */
    String given(String table, TableShape.Column column) {
        return mayBeOther(table, column) ? textOf(column.name()) : Sql.name(column.name());
    }

    /** Whether a column's text is stored because its value does not say it. */
    private boolean hasText(TableShape.Column column) {
        return column.type() != ColumnType.TEXT && !direct.contains(column.name());
    }

    private static String textOfValue(String column) {
        return "CAST(%s AS VARCHAR) AS %s".formatted(Sql.name(column), textOf(column));
    }

    /** What is stored of a row. */
    private String kept(TableShape shape) {
        return Stream.concat(
                        Stream.of(ROW),
                        shape.columns().stream()
                                .flatMap(column ->
                                        hasText(column)
                                                ? Stream.of(
                                                        Sql.name(column.name()),
                                                        textOf(column.name()))
                                                : Stream.of(Sql.name(column.name()))))
                .collect(Collectors.joining(", "));
    }

    /** A row's number in {@code raw}. A column that is called so hides the one that every table has. */
    private String number() {
        return given.stream().anyMatch("rowid"::equalsIgnoreCase)
                ? "row_number() OVER ()"
                : "rowid + 1";
    }

    /** The rows that were given, with their numbers. */
    private String numbered() {
        return "(SELECT %s AS %s, * FROM raw)".formatted(number(), ROW);
    }

    /** A query for rows with the values and the texts of columns. Each step is computed once. */
    private String typed(List<TableShape.Column> columns) {
        var first = new ArrayList<String>(List.of(number() + " AS " + ROW));
        var second = new ArrayList<String>(List.of(ROW));
        var third = new ArrayList<String>(List.of(ROW));
        for (var column : columns) {
            var name = Sql.name(column.name());
            var text = textOf(column.name());
            if (direct.contains(column.name())) {
                first.add("CAST(%s AS %s) AS %s".formatted(name, column.type().sql(), name));
                second.add(name);
                third.add(name);
                third.add(textOfValue(column.name()));
            } else {
                var given = given(column.name());
                first.add((asGiven ? given : withoutSpace(given)) + " AS " + text);
                second.add(asGiven ? text : unlessNothing(text) + " AS " + text);
                third.add(text);
                third.add(typed(text, column) + " AS " + name);
            }
        }
        return "SELECT %s FROM (SELECT %s FROM (SELECT %s FROM raw))"
                .formatted(
                        String.join(", ", third),
                        String.join(", ", second),
                        String.join(", ", first));
    }

    /** Notes the rows that are left out because of an earlier one; answers whether there are any. */
    private boolean findRepeats(TableShape shape) throws SQLException {
        var key = shape.key();
        if (key.isEmpty() && !shape.dropEqualRows()) {
            return false;
        }
        var columns =
                key.isEmpty()
                        ? shape.columns()
                        : shape.columns().stream().filter(c -> key.contains(c.name())).toList();
        execute(
                "CREATE TABLE %s AS %s"
                        .formatted(
                                AGAIN,
                                repeats(
                                        "(%s)".formatted(typed(columns)),
                                        key.isEmpty() ? texts(shape) : names(key),
                                        key.isEmpty() ? "true" : allGiven(key))));
        if (count("SELECT count(*) FROM " + AGAIN) > 0) {
            return true;
        }
        execute("DROP TABLE " + AGAIN);
        return false;
    }

    /**
     * A query for the numbers of rows that have the columns of an earlier one. Only rows whose hash is not alone are sorted.
     *
     * @param of table or subquery
     * @param where which rows are looked at
     */
    static String repeats(String of, String columns, String where) {
        return """
        SELECT %1$s FROM (SELECT %1$s, row_number() OVER (PARTITION BY %2$s ORDER BY %1$s) AS n FROM %3$s
            WHERE %4$s AND hash(%2$s) IN (SELECT h FROM (SELECT hash(%2$s) AS h FROM %3$s WHERE %4$s)
                GROUP BY h HAVING count(*) > 1)) WHERE n > 1\
        """
                .formatted(ROW, columns, of, where);
    }

    private void check(TableShape shape) throws SQLException, UnreadableTableException {
        var names = new HashSet<String>();
        for (var column : shape.columns()) {
            if (!given.contains(column.name())) {
                throw new UnreadableTableException(
                        "the file has no column %s; it has %s"
                                .formatted(column.name(), String.join(", ", given)));
            }
            if (!names.add(column.name())) {
                throw new UnreadableTableException(
                        "the column %s is described twice".formatted(column.name()));
            }
        }
        var wanted = new ArrayList<>(shape.key());
        if (shape.time() != null) {
            wanted.add(shape.time());
        }
        if (shape.label() != null) {
            wanted.add(shape.label());
        }
        shape.columns().stream()
                .map(TableShape.Column::references)
                .filter(Objects::nonNull)
                .forEach(wanted::add);
        for (var name : wanted) {
            if (!names.contains(name)) {
                throw new UnreadableTableException(
                        "the column %s is used, but not among the described columns"
                                .formatted(name));
            }
        }
        var events = shape.events();
        if (events != null) {
            if (!names.contains(events.time())) {
                throw new UnreadableTableException(
                        "events.time %s is not among the described columns"
                                .formatted(events.time()));
            }
            for (var part : events.parts().entrySet()) {
                var refusal =
                        part.getValue().startsWith("=")
                                ? null
                                : Expressions.refusal(connection, part.getValue(), names);
                if (refusal != null) {
                    throw new UnreadableTableException(
                            "events.%s %s".formatted(part.getKey(), refusal));
                }
            }
        }
        for (var rule : shape.rules()) {
            var refusal = Expressions.refusal(connection, rule.expression(), names);
            if (refusal != null) {
                throw new UnreadableTableException(
                        "the rule %s %s".formatted(rule.name(), refusal));
            }
        }
    }

    /** When a row is left out, and what that is called. */
    private record Reason(String condition, String name) {

        String sql() {
            return "CASE WHEN %s THEN %s END".formatted(condition, Sql.text(name));
        }
    }

    private List<Reason> reasons(TableShape shape, boolean repeats) {
        var reasons = new ArrayList<Reason>();
        for (var column : shape.columns()) {
            if (column.required()) {
                reasons.add(
                        new Reason(given(TYPED, column) + " IS NULL", "missing " + column.name()));
                if (hasText(column)) {
                    reasons.add(new Reason(isOtherType(column), "type of " + column.name()));
                }
            }
            if (column.hasRange()) {
                reasons.add(
                        new Reason(
                                "NOT coalesce(%s, true)".formatted(inRange(column)),
                                "range of " + column.name()));
            }
        }
        for (var rule : shape.rules()) {
            reasons.add(
                    new Reason(
                            "NOT coalesce((%s), true)".formatted(rule.expression()),
                            "rule " + rule.name()));
        }
        if (repeats) {
            reasons.add(
                    new Reason(
                            "%1$s IN (SELECT %1$s FROM %2$s)".formatted(ROW, AGAIN),
                            shape.key().isEmpty() ? "equal row" : "duplicate key"));
        }
        return reasons;
    }

    /** The list of a row's reasons; most have none, and cost no list. */
    private static String list(List<Reason> reasons) {
        return reasons.isEmpty()
                ? "[]::VARCHAR[]"
                : "CASE WHEN %s THEN list_filter([%s], reason -> reason IS NOT NULL) ELSE [] END"
                        .formatted(
                                reasons.stream()
                                        .map(reason -> "(" + reason.condition() + ")")
                                        .collect(Collectors.joining(" OR ")),
                                reasons.stream()
                                        .map(Reason::sql)
                                        .collect(Collectors.joining(", ")));
    }

    /** A part of the mapping as a text that PostgreSQL can hold. */
    private static String storable(@Nullable String part) {
        return "replace(%s::varchar, chr(0), chr(65533))".formatted(EventMapping.sql(part));
    }

    /**
     * Makes the table of what users did of the rows that were kept; answers how many rows say nothing of it.
     *
     * @throws UnreadableTableException when a part of the mapping gives values of another kind than it should
     */
    public long events(EventMapping mapping) throws SQLException, UnreadableTableException {
        try {
            execute(
                    """
                    CREATE VIEW told AS SELECT * FROM (
                        SELECT %s::varchar AS user_id, %s AS id, %s AS event_type, %s::varchar AS session_id,
                            %s::timestamptz AS occurred_at, NULL::double AS score, %s::double AS amount,
                            upper(%s::varchar) AS currency, left(%s, 100) AS category,
                            lower(%s) AS game_type, left(%s, 100) AS channel, NULL::int AS opt_in_games,
                            NULL::int AS opt_in_promotions, %s::varchar AS order_id
                        FROM clean WHERE coalesce(%s, false))
                    WHERE length(user_id) BETWEEN 1 AND 400 AND NOT contains(user_id, chr(0)) AND occurred_at IS NOT NULL AND event_type IS NOT NULL\
                    """
                            .formatted(
                                    EventMapping.sql(mapping.user()),
                                    ROW,
                                    named(EventMapping.sql(mapping.type()) + "::varchar"),
                                    EventMapping.sql(mapping.session()),
                                    Sql.name(mapping.time()),
                                    EventMapping.sql(mapping.amount()),
                                    EventMapping.sql(mapping.currency()),
                                    storable(mapping.category()),
                                    storable(mapping.gameType()),
                                    storable(mapping.channel()),
                                    EventMapping.sql(mapping.order()),
                                    mapping.where() == null
                                            ? "true"
                                            : "(" + mapping.where() + ")"));
            execute(
                    mapping.order() == null
                            ? "CREATE TABLE %s AS SELECT * EXCLUDE (order_id) FROM told"
                                    .formatted(EVENTS)
                            : """
                            CREATE TABLE %s AS SELECT user_id, min(id) AS id, event_type, min(session_id) AS session_id,
                                min(occurred_at) AS occurred_at, NULL::double AS score, sum(amount) AS amount,
                                min(currency) AS currency, min(category) AS category, min(game_type) AS game_type,
                                min(channel) AS channel, NULL::int AS opt_in_games, NULL::int AS opt_in_promotions
                            FROM told GROUP BY user_id, event_type, coalesce(order_id, 'row ' || id)\
                            """
                                    .formatted(EVENTS));
        } catch (SQLException e) {
            if (isOfThisMachine(e)) {
                throw e;
            }
            throw new UnreadableTableException(
                    "events could not be made of the rows: "
                            + firstLine(e).replaceAll("'[^']*'", "a value"));
        }
        return count("SELECT count(*) FROM clean")
                - count("SELECT count(*) FROM " + (mapping.order() == null ? EVENTS : "told"));
    }

    /** A type as Mirante names it. */
    private static String named(String type) {
        var name = new StringBuilder("CASE lower(%s)".formatted(type));
        TYPES.forEach((theirs, ours) ->
                name.append(" WHEN %s THEN %s".formatted(Sql.text(theirs), Sql.text(ours))));
        return name.append(" ELSE lower(%s) END".formatted(type)).toString();
    }

    /** A view of a table with what the checks look at besides its columns; answers its name. */
    String checkable(String table, TableShape shape) throws SQLException {
        var texts =
                shape.columns().stream()
                        .map(column ->
                                "%s::varchar AS %s"
                                        .formatted(Sql.name(column.name()), textOf(column.name())))
                        .collect(Collectors.joining(", "));
        var view = table + "_checked";
        execute(
                "CREATE VIEW %s AS SELECT *, rowid + 1 AS %s, %s FROM %s"
                        .formatted(view, ROW, texts, table));
        return view;
    }

    /**
     * An empty table in the place of a file's rows, all texts; they are taken as they are, not as somebody's
     * spelling of it. Nothing outside can be reached afterwards.
     */
    public DuckDBAppender filled(List<String> columns) throws SQLException {
        execute(
                "CREATE TABLE raw (%s)"
                        .formatted(
                                columns.stream()
                                        .map(column -> Sql.name(column) + " VARCHAR")
                                        .collect(Collectors.joining(", "))));
        given = List.copyOf(columns);
        asGiven = true;
        execute("CREATE TABLE reject_errors (scan_id BIGINT, line BIGINT, error_message VARCHAR)");
        isolate();
        return duckdb.createAppender("raw");
    }

    /**
     * Writes texts and doubles of a table as PostgreSQL's binary COPY has them; answers the file, which goes with the tables.
     *
     * @param columns in their order
     */
    public Path export(String table, List<String> columns) throws SQLException, IOException {
        var file = exported(scratch);
        long rows = count("SELECT count(*) FROM " + table);
        try (var copy = new BinaryCopy(file);
                var statement = connection.createStatement()) {
            for (long from = 0; from < rows; from += ROWS_AT_ONCE) {
                copy.add(
                        statement.executeQuery(
                                "SELECT %s FROM %s WHERE rowid >= %d AND rowid < %d"
                                        .formatted(
                                                names(columns), table, from, from + ROWS_AT_ONCE)));
            }
        }
        return file;
    }

    /** From here on nothing outside can be reached. */
    private void isolate() throws SQLException {
        execute("SET enable_external_access = false");
        execute("SET lock_configuration = true");
    }

    /** Ends the statement under way, if there is one, with an error; any thread may call it. */
    public void interrupt() {
        for (var statement : statements) {
            try {
                statement.cancel();
            } catch (SQLException e) {
                // It is closed: there is nothing to end.
                statements.remove(statement);
            }
        }
    }

    /** The connection, with the statements that are open noted: DuckDB ends one only by the object that executes it. */
    private Connection noting(DuckDBConnection connection) {
        return (Connection)
                Proxy.newProxyInstance(
                        Tables.class.getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (proxy, method, arguments) -> {
                            try {
                                var answer = method.invoke(connection, arguments);
                                if (answer instanceof Statement statement) {
                                    note(statement);
                                }
                                return answer;
                            } catch (InvocationTargetException e) {
                                throw e.getTargetException();
                            }
                        });
    }

    private void note(Statement statement) throws SQLException {
        for (var earlier : statements) {
            if (earlier.isClosed()) {
                statements.remove(earlier);
            }
        }
        statements.add(statement);
    }

    /** For tables that are made of these; used by the same thread. */
    public Connection connection() {
        return connection;
    }

    /**
     * What cleaning did to values of a column.
     *
     * @param condition of rows of {@code raw}, or of {@link #TYPED}
     */
    private record Change(String rule, String column, String condition) {}

    private Map<String, QualityReport.Counted> changes(TableShape shape) throws SQLException {
        var spelt = new ArrayList<Change>();
        var read = new ArrayList<Change>();
        for (var column : shape.columns()) {
            if (!direct.contains(column.name())) {
                if (!asGiven) {
                    spelling(spelt, column.name());
                }
                reading(read, column);
            }
        }
        var changes = new LinkedHashMap<String, QualityReport.Counted>();
        count(changes, spelt, "raw", "SELECT %s FROM %s".formatted(ROW, numbered()));
        count(changes, read, TYPED, "SELECT %s FROM %s".formatted(ROW, TYPED));
        return changes;
    }

    private void spelling(List<Change> changes, String column) {
        var given = given(column);
        var text = withoutSpace(given);
        changes.add(
                new Change(
                        "space around values removed",
                        column,
                        "%s <> %s AND %s IS NOT NULL".formatted(given, text, unlessNothing(text))));
        changes.add(
                new Change(
                        "empty values and words for nothing made missing",
                        column,
                        "strlen(%s) > 0 AND %s IS NULL".formatted(given, unlessNothing(text))));
    }

    private void reading(List<Change> changes, TableShape.Column column) {
        var name = Sql.name(column.name());
        var text = textOf(column.name());
        changes.add(
                new Change(
                        "characters that were lost by an earlier encoding left as they are",
                        column.name(),
                        "contains(%s, chr(65533))".formatted(text)));
        if (column.type().isNumeric()) {
            changes.add(new Change("decimal commas read", column.name(), hasComma(text)));
        }
        if (column.unit() != null) {
            Units.rules(text, column.unit(), Tables::asNumber)
                    .forEach((rule, condition) ->
                            changes.add(
                                    new Change(
                                            rule,
                                            column.name(),
                                            "%s IS NOT NULL AND %s".formatted(name, condition))));
        }
        if (column.type() == ColumnType.TIMESTAMP) {
            changes.add(
                    new Change(
                            "times of another form read",
                            column.name(),
                            "%s IS NOT NULL AND try_cast(%s AS TIMESTAMPTZ) IS NULL"
                                    .formatted(name, text)));
        }
        if (!column.required() && hasText(column)) {
            changes.add(
                    new Change(
                            "values of another type made missing",
                            column.name(),
                            isOtherType(column)));
        }
    }

    /** Counts changes in one pass, and quotes rows of those that were made. */
    private void count(
            Map<String, QualityReport.Counted> counted,
            List<Change> changes,
            String table,
            String rows)
            throws SQLException {
        if (changes.isEmpty()) {
            return;
        }
        var counts =
                numbers(
                        "SELECT %s FROM %s"
                                .formatted(
                                        changes.stream()
                                                .map(Change::condition)
                                                .map("count(*) FILTER (WHERE %s)"::formatted)
                                                .collect(Collectors.joining(", ")),
                                        table));
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0) {
                var change = changes.get(i);
                counted.put(
                        change.rule() + ": " + change.column(),
                        new QualityReport.Counted(
                                (long) counts[i],
                                samples(rows + " WHERE " + change.condition(), change.column())));
            }
        }
    }

    /** What the first of some rows had in a column. */
    private List<String> samples(String rows, String column) throws SQLException {
        return texts(
                """
                SELECT 'row ' || s.%1$s || ': ' || left(%2$s, %3$d)
                FROM (%4$s ORDER BY %1$s LIMIT %5$d) s JOIN %6$s r ON r.%1$s = s.%1$s ORDER BY s.%1$s\
                """
                        .formatted(ROW, given(column), SAMPLE_LENGTH, rows, SAMPLES, numbered()));
    }

    private Map<String, QualityReport.Counted> rejected() throws SQLException {
        var rejected = new LinkedHashMap<String, QualityReport.Counted>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT reason, count(*), list_transform(min(%1$s, %2$d), n -> 'row ' || n)
                                FROM (SELECT %1$s, unnest(%3$s) AS reason FROM typed WHERE len(%3$s) > 0)
                                GROUP BY reason ORDER BY 2 DESC, 1\
                                """
                                        .formatted(ROW, SAMPLES, REASONS))) {
            while (rows.next()) {
                rejected.put(
                        rows.getString(1),
                        new QualityReport.Counted(rows.getLong(2), list(rows, 3)));
            }
        }
        long unread = count(UNREAD);
        if (unread > 0) {
            rejected.put(
                    "unreadable line",
                    new QualityReport.Counted(
                            unread,
                            texts(
                                    "SELECT 'line ' || line || ': ' || left(min(error_message), 200) FROM reject_errors GROUP BY scan_id, line ORDER BY scan_id, line LIMIT "
                                            + SAMPLES)));
        }
        return rejected;
    }

    /** Different values of a column, and the most frequent of them. */
    record Values(long distinct, List<ColumnProfile.TopValue> top) {}

    /** Counts them. */
    Values values(String table, String name) throws SQLException {
        return values(
                """
                WITH counted AS MATERIALIZED (
                    SELECT %1$s AS value, count(*) AS n FROM %3$s WHERE %1$s IS NOT NULL GROUP BY %1$s)
                (SELECT left(value::varchar, %2$d) AS text, n, (SELECT count(*) FROM counted)
                FROM counted ORDER BY n DESC, value LIMIT %4$d)\
                """
                        .formatted(name, SAMPLE_LENGTH, table, NumbersOf.MOST_OFTEN));
    }

    /** Those of a column that has each value once. */
    Values unique(String table, String name, long rows) throws SQLException {
        return values(
                "SELECT left(value::varchar, %d), 1, %d FROM (SELECT %s AS value FROM %s ORDER BY 1 LIMIT %d)"
                        .formatted(SAMPLE_LENGTH, rows, name, table, NumbersOf.MOST_OFTEN));
    }

    private Values values(String sql) throws SQLException {
        var top = new ArrayList<ColumnProfile.TopValue>();
        long distinct = 0;
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                top.add(new ColumnProfile.TopValue(rows.getString(1), rows.getLong(2)));
                distinct = rows.getLong(3);
            }
        }
        return new Values(distinct, top);
    }

    /**
     * What columns of numbers say, by column.
     *
     * @param held how many values are in memory at a time
     */
    Map<String, NumbersOf> numbersOf(
            String table,
            long rows,
            List<TableShape.Column> columns,
            Map<String, ColumnProfile> baseline,
            int held)
            throws SQLException {
        var all = new HashMap<String, NumbersOf>();
        if (rows > held) {
            for (var column : columns) {
                execute(
                        "CREATE OR REPLACE TABLE sorted AS SELECT value FROM (SELECT %s AS value FROM %s) WHERE value IS NOT NULL ORDER BY value"
                                .formatted(numbers(List.of(column)), table));
                var values =
                        SortedNumbers.of(
                                this, "sorted", count("SELECT count(*) FROM sorted"), held);
                all.put(column.name(), NumbersOf.of(values, column, baseline.get(column.name())));
            }
            execute("DROP TABLE sorted");
            return all;
        }
        int together = (int) Math.max(1, held / Math.max(1, rows));
        for (int from = 0; from < columns.size(); from += together) {
            var some = columns.subList(from, Math.min(columns.size(), from + together));
            var values = columns("SELECT %s FROM %s".formatted(numbers(some), table), (int) rows);
            Arrays.stream(values).parallel().forEach(Arrays::sort);
            for (int i = 0; i < values.length; i++) {
                var column = some.get(i);
                all.put(
                        column.name(),
                        NumbersOf.of(
                                SortedNumbers.of(values[i]), column, baseline.get(column.name())));
            }
        }
        return all;
    }

    /** Expressions for columns of numbers. */
    static String numbers(List<TableShape.Column> columns) {
        return columns.stream()
                .map(column -> Sql.name(column.name()) + "::double")
                .collect(Collectors.joining(", "));
    }

    /**
     * Numbers of rows, by column and row; NaN = there is none.
     *
     * @param expected about how many rows
     */
    double[][] columns(String sql, int expected) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            var columns = new double[rows.getMetaData().getColumnCount()][expected];
            int count = 0;
            while (rows.next()) {
                for (int i = 0; i < columns.length; i++) {
                    if (count == columns[i].length) {
                        columns[i] = Arrays.copyOf(columns[i], count + count / 2 + 16);
                    }
                    double value = rows.getDouble(i + 1);
                    columns[i][count] = rows.wasNull() ? Double.NaN : value;
                }
                count++;
            }
            for (int i = 0; i < columns.length; i++) {
                columns[i] =
                        columns[i].length == count ? columns[i] : Arrays.copyOf(columns[i], count);
            }
            return columns;
        }
    }

    /** Numbers as DuckDB writes them. */
    Map<Double, String> written(List<Double> numbers) throws SQLException {
        var written = new HashMap<Double, String>();
        var literals =
                numbers.stream()
                        .filter(Double::isFinite)
                        .map(String::valueOf)
                        // An exponent makes a number that DuckDB takes for no decimal.
                        .map(text -> text.contains("E") ? text : text + "E0")
                        .collect(Collectors.joining(", "));
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT value, value::varchar FROM (SELECT unnest([%s]::double[]) AS value)"
                                        .formatted(literals))) {
            while (rows.next()) {
                written.put(rows.getDouble(1), rows.getString(2));
            }
        }
        return written;
    }

    // --- expressions over a row

    private static String withoutSpace(String text) {
        return "CASE WHEN %1$s BETWEEN '!' AND '~' AND %1$s[-1] BETWEEN '!' AND '~' THEN %1$s ELSE trim(%1$s, %2$s) END"
                .formatted(text, SPACE);
    }

    /** Null where a text says nothing. */
    private static String unlessNothing(String text) {
        return "CASE WHEN strlen(%1$s) <= %2$d AND upper(%1$s) IN %3$s THEN NULL ELSE %1$s END"
                .formatted(text, NOTHING_LENGTH, NOTHING);
    }

    private static String hasComma(String text) {
        return "(contains(%1$s, ',') AND regexp_matches(%1$s, %2$s))"
                .formatted(text, Sql.text(NUMBER_WITH_COMMA));
    }

    /** The given text of a column of {@link #TYPED} and {@link #CLEAN}. */
    static String textOf(String column) {
        return Sql.name(column + TEXT_SUFFIX);
    }

    private static String typed(String text, TableShape.Column column) {
        return typed(
                text,
                column.type(),
                column.unit() == null
                        ? asNumber(text)
                        : Units.number(text, column.unit(), Tables::asNumber));
    }

    /** The number that a text is; null where it is none. */
    private static String asNumber(String text) {
        return """
        try_cast(CASE WHEN %2$s THEN replace(replace(%1$s, '.', ''), ',', '.') ELSE %1$s END AS DOUBLE)\
        """
                .formatted(text, hasComma(text));
    }

    private static String typed(String text, ColumnType type, String number) {
        return switch (type) {
            case TEXT -> text;
            case NUMBER -> "CASE WHEN isfinite(%1$s) THEN %1$s END".formatted(number);
            case INTEGER ->
                    "CASE WHEN isfinite(%1$s) AND %1$s = floor(%1$s) AND abs(%1$s) < 9e15 THEN %1$s::bigint END"
                            .formatted(number);
            case BOOLEAN ->
                    """
                    CASE WHEN lower(%1$s) IN ('true', 't', 'yes', 'y', '1', 'sim') THEN true
                        WHEN lower(%1$s) IN ('false', 'f', 'no', 'n', '0', 'não', 'nao') THEN false END\
                    """
                            .formatted(text);
            case TIMESTAMP ->
                    """
                    coalesce(try_cast(%1$s AS TIMESTAMPTZ), try_strptime(%1$s, ['%%d/%%m/%%Y %%H:%%M:%%S',
                        '%%d/%%m/%%Y %%H:%%M', '%%d/%%m/%%Y', '%%Y%%m%%d'])::timestamptz)\
                    """
                            .formatted(text);
        };
    }

    /** True where a value was given that is not of the column's type. */
    static String isOtherType(TableShape.Column column) {
        return "(%s IS NOT NULL AND %s IS NULL)"
                .formatted(textOf(column.name()), Sql.name(column.name()));
    }

    /** True where the value is possible; null where there is none. */
    static String inRange(TableShape.Column column) {
        var name = Sql.name(column.name());
        var conditions = new ArrayList<String>();
        if (column.min() != null) {
            conditions.add("%s >= %s".formatted(name, column.min()));
        }
        if (column.max() != null) {
            conditions.add("%s <= %s".formatted(name, column.max()));
        }
        if (!column.values().isEmpty()) {
            conditions.add(
                    "%s::varchar IN (%s)"
                            .formatted(
                                    name,
                                    column.values().stream()
                                            .map(Sql::text)
                                            .collect(Collectors.joining(", "))));
        }
        return "(" + String.join(" AND ", conditions) + ")";
    }

    static String allGiven(List<String> columns) {
        return columns.stream()
                .map(column -> Sql.name(column) + " IS NOT NULL")
                .collect(Collectors.joining(" AND ", "(", ")"));
    }

    static String names(List<String> columns) {
        return columns.stream().map(Sql::name).collect(Collectors.joining(", "));
    }

    /** All columns as they were given. */
    static String texts(TableShape shape) {
        return shape.columns().stream()
                .map(column -> textOf(column.name()))
                .collect(Collectors.joining(", "));
    }

    // --- reading

    long count(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    double number(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return row.getDouble(1);
        }
    }

    /** One row of numbers; NaN where there is none. */
    double[] numbers(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            var numbers = new double[row.getMetaData().getColumnCount()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = row.getDouble(i + 1);
                if (row.wasNull()) {
                    numbers[i] = Double.NaN;
                }
            }
            return numbers;
        }
    }

    List<String> texts(String sql) throws SQLException {
        var texts = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                texts.add(String.valueOf(rows.getString(1)));
            }
        }
        return texts;
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static @Nullable Double optional(ResultSet row, int column) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? null : value;
    }

    private static List<String> list(ResultSet row, int column) throws SQLException {
        var list = new ArrayList<String>();
        for (var item : (Object[]) row.getArray(column).getArray()) {
            list.add(String.valueOf(item));
        }
        return list;
    }

    private static List<Double> doubles(ResultSet row, int column) throws SQLException {
        var array = row.getArray(column);
        var list = new ArrayList<Double>();
        if (array != null) {
            for (var item : (Object[]) array.getArray()) {
                if (item instanceof Double value) {
                    list.add(value);
                }
            }
        }
        return list;
    }

    private static String firstLine(SQLException error) {
        return String.valueOf(error.getMessage()).lines().findFirst().orElse("");
    }

    @Override
    public void close() throws SQLException, IOException {
        try {
            connection.close();
        } finally {
            delete(scratch);
        }
    }

    /** Removes what tables of a run that was cut short left on the disk. */
    public static void delete(Path scratch) throws IOException {
        Files.deleteIfExists(exported(scratch));
        Files.deleteIfExists(scratch);
        Files.deleteIfExists(beside(scratch, ".wal"));
        FileSystemUtils.deleteRecursively(spill(scratch));
    }

    private static Path spill(Path scratch) {
        return beside(scratch, ".spill");
    }

    private static Path exported(Path scratch) {
        return beside(scratch, ".copy");
    }

    private static Path beside(Path scratch, String suffix) {
        return scratch.resolveSibling(scratch.getFileName() + suffix);
    }
}
