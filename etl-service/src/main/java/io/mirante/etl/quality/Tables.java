package io.mirante.etl.quality;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * A run's tables, in a DuckDB file of its own that goes with it: {@code raw} as the file has it, all texts; {@code typed}, the
 * same rows as what they are to be, with why a row is rejected; {@code clean}, the rows that are not. Memory is bounded,
 * what does not fit is on disk. Used by one thread.
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

    private static final int MAX_COLUMNS = 500;
    private static final int SAMPLES = 5;
    private static final int SAMPLE_LENGTH = 80;
    private static final String NUMBER_WITH_COMMA = "^-?\\d{1,3}(\\.\\d{3})+,\\d+$|^-?\\d+,\\d+$";
    private static final String SPACE = "[\\s\\x{00A0}\\x{FEFF}\\x{200B}]";
    private static final String EDGES = "^%s+|%s+$".formatted(SPACE, SPACE);
    private static final String NOTHING = "('NULL', 'N/A', '#N/A', 'NAN', 'NONE', '?', '-')";
    private static final double MOSTLY = 0.95;

    private static final String COPIED = ", delim = ',', quote = '\"', escape = '\"'";

    /** Several things may be wrong with a line. */
    private static final String UNREAD =
            "SELECT count(DISTINCT (scan_id, line)) FROM reject_errors";

    private final Path scratch;
    private final DuckDBConnection connection;
    private List<String> given = List.of();
    private boolean asGiven;

    /**
     * Opens an empty one.
     *
     * @param scratch a file that does not exist, or is left of a run that was cut short
     */
    public Tables(Path scratch) throws IOException, SQLException {
        this.scratch = scratch;
        delete(scratch);
        this.connection =
                DriverManager.getConnection("jdbc:duckdb:" + scratch)
                        .unwrap(DuckDBConnection.class);
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
        for (int i = 0; i < files.size(); i++) {
            var file = files.get(i);
            try {
                add(source(file, format), i == 0);
            } catch (SQLException e) {
                if (isOfThisMachine(e)) {
                    throw e;
                }
                var called = files.size() == 1 ? "the file" : "file %d".formatted(i + 1);
                throw new UnreadableTableException(
                        "%s is not readable as %s: %s"
                                .formatted(
                                        called,
                                        format.label(),
                                        firstLine(e).replace(file.toString(), called)));
            }
        }
        if (!isCsv(format)) {
            execute(
                    "CREATE TABLE reject_errors (scan_id BIGINT, line BIGINT, error_message VARCHAR)");
        }
        isolate();
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
                    "read_csv(%s, header = true, all_varchar = true, ignore_errors = true, store_rejects = true,"
                                    .formatted(path)
                            + " rejects_limit = 0, null_padding = false, max_line_size = 1048576, compression = '%s'%s)"
                                    .formatted(
                                            packed ? "gzip" : "none",
                                            format == FileFormat.COPIED ? COPIED : "");
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

    private void add(String source, boolean first) throws SQLException, UnreadableTableException {
        if (first) {
            execute(
                    "CREATE TABLE raw AS SELECT row_number() OVER () AS %s, CAST(COLUMNS(*) AS VARCHAR) FROM %s"
                            .formatted(ROW, source));
            given = columns("raw");
        } else {
            for (var name : columns("SELECT * FROM " + source)) {
                if (given.stream().noneMatch(name::equalsIgnoreCase)) {
                    execute("ALTER TABLE raw ADD COLUMN %s VARCHAR".formatted(Sql.name(name)));
                }
            }
            execute(
                    """
                    INSERT INTO raw BY NAME
                    SELECT row_number() OVER () + (SELECT coalesce(max(%1$s), 0) FROM raw) AS %1$s, CAST(COLUMNS(*) AS VARCHAR) FROM %2$s\
                    """
                            .formatted(ROW, source));
            given = columns("raw");
        }
        if (given.size() > MAX_COLUMNS) {
            throw new UnreadableTableException(
                    "the file has %d columns, at most %d are allowed"
                            .formatted(given.size(), MAX_COLUMNS));
        }
    }

    private List<String> columns(String of) throws SQLException {
        return texts("SELECT column_name FROM (DESCRIBE %s)".formatted(of)).stream()
                .filter(name -> !name.equals(ROW))
                .toList();
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
            columns.add(TableShape.Column.of(name, type(name)));
        }
        return new TableShape(columns, List.of(), null, null, List.of(), false);
    }

    private ColumnType type(String column) throws SQLException {
        var text = trimmed(column);
        for (var type :
                List.of(
                        ColumnType.INTEGER,
                        ColumnType.NUMBER,
                        ColumnType.TIMESTAMP,
                        ColumnType.BOOLEAN)) {
            double share =
                    number(
                            "SELECT coalesce(count(typed) / nullif(count(text), 0), 0) FROM (SELECT %s AS text, %s AS typed FROM raw)"
                                    .formatted(text, typed(text, type)));
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
        var columns = new ArrayList<String>();
        for (var column : shape.columns()) {
            columns.add(
                    (asGiven ? Sql.name(column.name()) : trimmed(column.name()))
                            + " AS "
                            + textOf(column.name()));
        }
        execute(
                "CREATE TABLE trimmed AS SELECT %s, %s FROM raw"
                        .formatted(ROW, String.join(", ", columns)));
        columns.clear();
        for (var column : shape.columns()) {
            columns.add(
                    typed(textOf(column.name()), column.type()) + " AS " + Sql.name(column.name()));
        }
        execute(
                "CREATE TABLE plain AS SELECT *, %s FROM trimmed"
                        .formatted(String.join(", ", columns)));
        execute(
                "CREATE TABLE typed AS SELECT *, list_filter([%s], reason -> reason IS NOT NULL) AS %s FROM plain"
                        .formatted(String.join(", ", reasons(shape)), REASONS));
        execute("DROP TABLE plain");
        execute("DROP TABLE trimmed");
        execute("CREATE VIEW clean AS SELECT * FROM typed WHERE len(%s) = 0".formatted(REASONS));
        return new QualityReport.Cleaning(
                count("SELECT count(*) FROM typed") + count(UNREAD),
                count("SELECT count(*) FROM clean"),
                changes(shape),
                rejected());
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

    /** Why a row is left out, one expression each, null where it is not. */
    private List<String> reasons(TableShape shape) {
        var reasons = new ArrayList<String>();
        for (var column : shape.columns()) {
            if (column.required()) {
                reasons.add(reason(textOf(column.name()) + " IS NULL", "missing " + column.name()));
                reasons.add(reason(isOtherType(column), "type of " + column.name()));
            }
            if (column.hasRange()) {
                reasons.add(
                        reason(
                                "NOT coalesce(%s, true)".formatted(inRange(column)),
                                "range of " + column.name()));
            }
        }
        for (var rule : shape.rules()) {
            reasons.add(
                    reason(
                            "NOT coalesce((%s), true)".formatted(rule.expression()),
                            "rule " + rule.name()));
        }
        if (!shape.key().isEmpty()) {
            var key = names(shape.key());
            reasons.add(
                    reason(
                            "row_number() OVER (PARTITION BY %s ORDER BY %s) > 1 AND %s"
                                    .formatted(key, ROW, allGiven(shape.key())),
                            "duplicate key"));
        } else if (shape.dropEqualRows()) {
            reasons.add(
                    reason(
                            "row_number() OVER (PARTITION BY %s ORDER BY %s) > 1"
                                    .formatted(texts(shape), ROW),
                            "equal row"));
        }
        reasons.add("NULL::varchar");
        return reasons;
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
            throw new UnreadableTableException(
                    "events could not be made of the rows: "
                            + firstLine(e).replaceAll("'[^']*'", "a value"));
        }
        return count("SELECT count(*) FROM clean") - count("SELECT count(*) FROM told");
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
     * An empty table in the place of a file's rows, all texts but the row's number, which is the first column; they are taken as they
     * are, not as somebody's spelling of it. Nothing outside can be reached afterwards.
     */
    public DuckDBAppender filled(List<String> columns) throws SQLException {
        execute(
                "CREATE TABLE raw (%s BIGINT, %s)"
                        .formatted(
                                ROW,
                                columns.stream()
                                        .map(column -> Sql.name(column) + " VARCHAR")
                                        .collect(Collectors.joining(", "))));
        given = List.copyOf(columns);
        asGiven = true;
        execute("CREATE TABLE reject_errors (scan_id BIGINT, line BIGINT, error_message VARCHAR)");
        isolate();
        return connection.createAppender("raw");
    }

    /**
     * Writes a table as CSV without a header; answers the file, which goes with the tables.
     *
     * @param columns in their order
     */
    public Path export(String table, List<String> columns) throws SQLException {
        execute(
                "COPY (SELECT %s FROM %s) TO %s (FORMAT csv, HEADER false)"
                        .formatted(names(columns), table, Sql.text(exported(scratch).toString())));
        return exported(scratch);
    }

    /** From here on nothing outside can be reached but the one file that may be written. */
    private void isolate() throws SQLException {
        execute("SET allowed_paths = [%s]".formatted(Sql.text(exported(scratch).toString())));
        execute("SET enable_external_access = false");
        execute("SET lock_configuration = true");
    }

    /** For tables that are made of these; used by the same thread. */
    public DuckDBConnection connection() {
        return connection;
    }

    private static String reason(String condition, String name) {
        return "CASE WHEN %s THEN %s END".formatted(condition, Sql.text(name));
    }

    private Map<String, QualityReport.Counted> changes(TableShape shape) throws SQLException {
        var changes = new LinkedHashMap<String, QualityReport.Counted>();
        for (var column : shape.columns()) {
            var raw = "r." + Sql.name(column.name());
            var text = "t." + textOf(column.name());
            change(
                    changes,
                    "space around values removed",
                    column,
                    "%s IS NOT NULL AND %s <> %s".formatted(text, raw, text));
            change(
                    changes,
                    "empty values and words for nothing made missing",
                    column,
                    "%s IS NULL AND length(%s) > 0".formatted(text, raw));
            change(
                    changes,
                    "characters that were lost by an earlier encoding left as they are",
                    column,
                    "contains(%s, chr(65533))".formatted(text));
            if (column.type().isNumeric()) {
                change(
                        changes,
                        "decimal commas read",
                        column,
                        "regexp_matches(%s, %s)".formatted(text, Sql.text(NUMBER_WITH_COMMA)));
            }
            if (column.type() == ColumnType.TIMESTAMP) {
                change(
                        changes,
                        "times of another form read",
                        column,
                        "t.%s IS NOT NULL AND try_cast(%s AS TIMESTAMPTZ) IS NULL"
                                .formatted(Sql.name(column.name()), text));
            }
            if (!column.required()) {
                change(
                        changes,
                        "values of another type made missing",
                        column,
                        "t.%s IS NULL AND %s IS NOT NULL".formatted(Sql.name(column.name()), text));
            }
        }
        return changes;
    }

    private void change(
            Map<String, QualityReport.Counted> changes,
            String rule,
            TableShape.Column column,
            String condition)
            throws SQLException {
        var from = "FROM typed t JOIN raw r USING (%s) WHERE %s".formatted(ROW, condition);
        long count = count("SELECT count(*) " + from);
        if (count > 0) {
            changes.put(
                    rule + ": " + column.name(),
                    new QualityReport.Counted(
                            count,
                            texts(
                                    "SELECT 'row ' || %s || ': ' || left(r.%s, %d) %s ORDER BY %s LIMIT %d"
                                            .formatted(
                                                    ROW,
                                                    Sql.name(column.name()),
                                                    SAMPLE_LENGTH,
                                                    from,
                                                    ROW,
                                                    SAMPLES))));
        }
    }

    private Map<String, QualityReport.Counted> rejected() throws SQLException {
        var rejected = new LinkedHashMap<String, QualityReport.Counted>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT reason, count(*), list('row ' || %s ORDER BY %s)[1:%d]
                                FROM (SELECT %s, unnest(%s) AS reason FROM typed) GROUP BY reason ORDER BY 2 DESC, 1\
                                """
                                        .formatted(ROW, ROW, SAMPLES, ROW, REASONS))) {
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

    /** What each column of a table holds. */
    Map<String, ColumnProfile> profile(String table, TableShape shape) throws SQLException {
        var profile = new LinkedHashMap<String, ColumnProfile>();
        for (var column : shape.columns()) {
            var name = Sql.name(column.name());
            boolean numeric = column.type().isNumeric();
            var value = numeric ? name + "::double" : "NULL::double";
            try (var statement = connection.createStatement();
                    var row =
                            statement.executeQuery(
                                    """
                                    SELECT count(*) - count(%1$s), count(DISTINCT %1$s), avg(%2$s), stddev_samp(%2$s),
                                        approx_quantile(%2$s, %3$s) FROM %4$s\
                                    """
                                            .formatted(name, value, percents(), table))) {
                row.next();
                profile.put(
                        column.name(),
                        new ColumnProfile(
                                column.type().label(),
                                row.getLong(1),
                                row.getLong(2),
                                optional(row, 3),
                                optional(row, 4),
                                numeric ? doubles(row, 5) : List.of(),
                                top(table, name)));
            }
        }
        return profile;
    }

    private List<ColumnProfile.TopValue> top(String table, String name) throws SQLException {
        var top = new ArrayList<ColumnProfile.TopValue>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT left(%1$s::varchar, %2$d), count(*) FROM %3$s WHERE %1$s IS NOT NULL GROUP BY %1$s ORDER BY 2 DESC, 1 LIMIT 10"
                                        .formatted(name, SAMPLE_LENGTH, table))) {
            while (rows.next()) {
                top.add(new ColumnProfile.TopValue(rows.getString(1), rows.getLong(2)));
            }
        }
        return top;
    }

    private static String percents() {
        var percents = new ArrayList<String>();
        for (int percent = 0; percent <= 100; percent++) {
            percents.add("%d.%02d".formatted(percent / 100, percent % 100));
        }
        return percents.toString();
    }

    // --- expressions over a row

    /** The column's value as it was given, without space around it; null where it says nothing. */
    private static String trimmed(String column) {
        var text = "regexp_replace(%s, %s, '', 'g')".formatted(Sql.name(column), Sql.text(EDGES));
        return "CASE WHEN %1$s = '' OR upper(%1$s) IN %2$s THEN NULL ELSE %1$s END"
                .formatted(text, NOTHING);
    }

    /** The given text of a column of {@link #TYPED} and {@link #CLEAN}. */
    static String textOf(String column) {
        return Sql.name(column + TEXT_SUFFIX);
    }

    private static String typed(String text, ColumnType type) {
        var number =
                """
                try_cast(CASE WHEN regexp_matches(%1$s, %2$s) THEN replace(replace(%1$s, '.', ''), ',', '.')
                    ELSE %1$s END AS DOUBLE)\
                """
                        .formatted(text, Sql.text(NUMBER_WITH_COMMA));
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
        return beside(scratch, ".csv");
    }

    private static Path beside(Path scratch, String suffix) {
        return scratch.resolveSibling(scratch.getFileName() + suffix);
    }
}
