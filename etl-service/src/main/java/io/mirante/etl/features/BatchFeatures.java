package io.mirante.etl.features;

import io.mirante.contracts.gateway.RfmBoundaries;
import io.mirante.etl.lifetime.PurchaseHistory;
import io.mirante.etl.lifetime.Spending;
import io.mirante.etl.quality.ColumnType;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.quality.TableShape.Column;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/**
 * Features of all users of a table of events at once, in a batch run's DuckDB. Makes the table {@link #TABLE}: user_id, then every
 * feature of the catalogue. Users are taken in parts, which can be held in memory. Of more than {@value #MOST_LEARNT} buyers the models of
 * lifetime are learnt from a part, drawn by a hash of their ids, so that the same buyers give the same models. Used by one
 * thread.
 */
public final class BatchFeatures {

    /** The table it makes. */
    public static final String TABLE = "features";

    private static final String BASE = "compared_of_users";
    private static final String PERSONS = "person_of_users";
    private static final String ALONE = "event_of_one";
    private static final String WORDS = "word_of_events";
    private static final int THIRDS = 3;
    private static final int QUARTERS = 4;
    private static final int FIFTHS = 5;
    private static final int PERCENTILES = 100;

    /** Buyers that models of lifetime are learnt from; their standard errors are below one in two hundred then. */
    static final long MOST_LEARNT = 250_000;

    /** Events of a user that are held at a time. */
    static final long MOST_OF_ONE = 100_000;

    private static final long EVENTS_AT_ONCE = 1_000_000;
    private static final long USERS_AT_ONCE = 100_000;

    private static final TableShape SHAPE = shape();

    private final Connection connection;
    private final String events;
    private final String person;
    private final Instant asOf;
    private final String currency;

    private BatchFeatures(
            Connection connection, String events, String person, Instant asOf, String currency) {
        this.connection = connection;
        this.events = events;
        this.person = person;
        this.asOf = asOf;
        this.currency = currency;
    }

    /** The features, in the order of the table's columns. */
    public static List<String> names() {
        return FeatureCatalog.all().stream().map(Feature::name).toList();
    }

    /**
     * Makes them; answers what each user was compared with.
     *
     * @param events table with the columns that {@link FeatureQuery} reads
     * @param person expression that tells users apart
     * @param asOf only events before it count
     * @param currency the tenant's; amounts in others do not count
     * @param boundaries the tenant's own boundaries of scores; null = quintiles
     */
    public static Population make(
            Connection connection,
            String events,
            String person,
            Instant asOf,
            String currency,
            @Nullable RfmBoundaries boundaries)
            throws SQLException {
        var batch = new BatchFeatures(connection, events, person, asOf, currency);
        return batch.make(() -> batch.population(boundaries));
    }

    /** Makes them, each user compared with a population that is in force; otherwise as {@link #make}. */
    public static void compared(
            Connection connection,
            String events,
            String person,
            Instant asOf,
            String currency,
            Population inForce)
            throws SQLException {
        new BatchFeatures(connection, events, person, asOf, currency).make(() -> inForce);
    }

    private interface Comparison {
        Population with() throws SQLException;
    }

    /** A single part is folded once; several are folded again when the population is known, since they cannot be kept. */
    private Population make(Comparison comparison) throws SQLException {
        number();
        create(BASE, DerivedFeatures.INPUTS.stream().map(FeatureCatalog::named).toList());
        var parts = parts();
        UserColumns kept = null;
        for (var part : parts) {
            kept = own(part, parts.size() == 1);
            note(kept);
        }
        var population = comparison.with();
        create(TABLE, FeatureCatalog.all());
        for (var part : parts) {
            put(parts.size() == 1 && kept != null ? kept : own(part, false), population);
        }
        execute("DROP TABLE " + BASE);
        execute("DROP TABLE " + PERSONS);
        execute("DROP TABLE IF EXISTS " + WORDS);
        return population;
    }

    private void create(String table, List<Feature> features) throws SQLException {
        execute(
                "CREATE TABLE %s (user_id VARCHAR, %s)"
                        .formatted(
                                table,
                                features.stream()
                                        .map(f -> f.name() + (f.isText() ? " VARCHAR" : " DOUBLE"))
                                        .collect(Collectors.joining(", "))));
    }

    /** Whether the table has no user. */
    public static boolean isEmpty(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT 1 FROM " + TABLE + " LIMIT 1")) {
            return !rows.next();
        }
    }

    /** What the table looks like. */
    public static TableShape ofTable() {
        return SHAPE;
    }

    private static TableShape shape() {
        var columns = new ArrayList<Column>();
        columns.add(Column.required("user_id", ColumnType.TEXT));
        for (var feature : FeatureCatalog.all()) {
            columns.add(
                    new Column(
                            feature.name(),
                            feature.isText() ? ColumnType.TEXT : ColumnType.NUMBER,
                            false,
                            feature.min(),
                            feature.max(),
                            feature.values(),
                            null));
        }
        return new TableShape(columns, List.of("user_id"), null, null, List.of(), false);
    }

    /** Numbers all users in the order of their ids, in parts that can be held in memory with their events. */
    private void number() throws SQLException {
        execute(
                """
                CREATE TABLE %1$s AS SELECT *, row_number() OVER (PARTITION BY part ORDER BY rank) - 1 AS no
                FROM (SELECT *, CASE WHEN n > %2$d THEN -1 - rank ELSE
                    sum(CASE WHEN n <= %2$d THEN n END) OVER (ORDER BY rank) // %3$d + rank // %4$d END AS part
                FROM (SELECT *, row_number() OVER (ORDER BY user_id, person) - 1 AS rank FROM (
                    SELECT %5$s AS person, max(user_id) AS user_id, count(*) AS n FROM %6$s WHERE occurred_at < %7$s
                    GROUP BY 1 HAVING max(user_id) IS NOT NULL)))\
                """
                        .formatted(
                                PERSONS,
                                MOST_OF_ONE,
                                EVENTS_AT_ONCE,
                                USERS_AT_ONCE,
                                person,
                                events,
                                moment()));
    }

    private String moment() {
        return "make_timestamp(%d)::timestamptz".formatted(micros());
    }

    private long micros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, asOf);
    }

    /** Some of the users, or one whose events are too many to be held. */
    private record Part(long no, int users, long events) {
        boolean isHeld() {
            return no >= 0;
        }
    }

    private List<Part> parts() throws SQLException {
        var parts = new ArrayList<Part>();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT part, count(*), sum(n) FROM %s GROUP BY part ORDER BY min(rank)"
                                        .formatted(PERSONS))) {
            while (rows.next()) {
                parts.add(new Part(rows.getLong(1), rows.getInt(2), rows.getLong(3)));
            }
        }
        return parts;
    }

    /** What the own events of a part's users give. */
    private UserColumns own(Part part, boolean ofAll) throws SQLException {
        var users =
                new UserColumns(
                        texts(
                                "SELECT user_id FROM %s WHERE part = %d ORDER BY no"
                                        .formatted(PERSONS, part.no())),
                        FeatureQuery.computed());
        var of =
                "(SELECT %1$s AS person, * FROM %2$s WHERE occurred_at < %3$s) e JOIN %4$s p ON p.person = e.person"
                        .formatted(person, events, moment(), PERSONS);
        var words =
                words(
                        ofAll
                                ? "%s WHERE occurred_at < %s".formatted(events, moment())
                                : "%s WHERE p.part = %d".formatted(of, part.no()));
        var query =
                "SELECT %s FROM %s %s WHERE p.part = %d"
                        .formatted(
                                HeldEvents.columns(),
                                of,
                                HeldEvents.TEXTS.stream()
                                        .map(text ->
                                                "LEFT JOIN %1$s of_%2$s ON of_%2$s.word = e.%2$s"
                                                        .formatted(WORDS, text))
                                        .collect(Collectors.joining(" ")),
                                part.no());
        if (part.isHeld()) {
            held(query, (int) part.events(), part.users(), words)
                    .fold(micros(), currency, users::set);
        } else {
            users.set(0, folded(query, part.events(), words));
        }
        return users;
    }

    /** Texts of events, each once. */
    private List<String> words(String of) throws SQLException {
        execute(
                "CREATE OR REPLACE TABLE %s AS SELECT word, row_number() OVER () - 1 AS code FROM (%s) WHERE word IS NOT NULL"
                        .formatted(
                                WORDS,
                                HeldEvents.TEXTS.stream()
                                        .map(text ->
                                                "SELECT DISTINCT %s AS word FROM %s"
                                                        .formatted(text, of))
                                        .collect(Collectors.joining(" UNION "))));
        return texts("SELECT word FROM %s ORDER BY code".formatted(WORDS));
    }

    private HeldEvents held(String query, int events, int users, List<String> words)
            throws SQLException {
        var held = new HeldEvents(events, users, words);
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            while (rows.next()) {
                held.add(rows);
            }
        }
        return held;
    }

    /** Features of one user whose events are held a few at a time. */
    private Map<String, Object> folded(String query, long events, List<String> words)
            throws SQLException {
        execute(
                "CREATE OR REPLACE TABLE %s AS SELECT * FROM (%s) ORDER BY micros, id"
                        .formatted(ALONE, query));
        var own = new OwnFeatures(micros(), currency);
        for (long from = 0; from < events; from += MOST_OF_ONE) {
            held(
                            "SELECT * FROM %s WHERE rowid >= %d AND rowid < %d"
                                    .formatted(ALONE, from, from + MOST_OF_ONE),
                            (int) Math.min(MOST_OF_ONE, events - from),
                            1,
                            words)
                    .forEach(own::add);
        }
        execute("DROP TABLE " + ALONE);
        return own.features();
    }

    /** Notes what a population is learnt from. */
    private void note(UserColumns users) throws SQLException {
        var inputs = DerivedFeatures.INPUTS.stream().map(users::column).toList();
        try (var table = connection.unwrap(DuckDBConnection.class).createAppender(BASE)) {
            for (int user = 0; user < users.size(); user++) {
                table.beginRow();
                table.append(users.id(user));
                for (var input : inputs) {
                    Objects.requireNonNull(input).append(user, table);
                }
                table.endRow();
            }
        }
    }

    private List<String> texts(String sql) throws SQLException {
        var texts = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }

    private Population population(@Nullable RfmBoundaries boundaries) throws SQLException {
        long buyers = count("SELECT count(recency_days) FROM " + BASE);
        var learnt = learnt(buyers);
        var lifetime = lifetime(learnt);
        return new Population(
                asOf,
                buyers,
                parts(QUARTERS, buyers),
                boundaries == null ? parts(FIFTHS, buyers) : Population.Parts.of(boundaries),
                ranks(FeatureCatalog.AVG_TICKET, THIRDS),
                lifetime,
                lifetime == null ? List.of() : lifetimeValues(lifetime, learnt));
    }

    /** The buyers that models are learnt from, as a condition. */
    static String learnt(long buyers) {
        long oneIn = (buyers + MOST_LEARNT - 1) / MOST_LEARNT;
        return oneIn <= 1
                ? "recency_days IS NOT NULL"
                : "recency_days IS NOT NULL AND hash(user_id) %% %d = 0".formatted(oneIn);
    }

    private Population.Parts parts(int parts, long buyers) throws SQLException {
        return buyers == 0
                ? new Population.Parts(List.of(), List.of(), List.of())
                : new Population.Parts(
                        ranks("floor(%s)".formatted(FeatureCatalog.RECENCY_DAYS), parts),
                        ranks(FeatureCatalog.FREQUENCY_DAYS, parts),
                        ranks(FeatureCatalog.MONETARY, parts));
    }

    /** Values at ranks ⌈n/k⌉, ⌈2n/k⌉ … of the buyers' column. */
    private List<Double> ranks(String column, int parts) throws SQLException {
        var ranks =
                IntStream.range(1, parts)
                        .mapToObj(i -> "(n * %d + %d) // %d".formatted(i, parts - 1, parts))
                        .collect(Collectors.joining(", "));
        return numbers(
                """
                SELECT value FROM (SELECT %1$s AS value, row_number() OVER (ORDER BY %1$s) AS i, count(*) OVER () AS n
                    FROM %2$s WHERE recency_days IS NOT NULL AND %1$s IS NOT NULL) WHERE i IN (%3$s) ORDER BY i\
                """
                        .formatted(column, BASE, ranks));
    }

    /** Null when there are too few buyers. */
    private @Nullable Lifetime lifetime(String learnt) throws SQLException {
        var histories = new HashMap<PurchaseHistory, Long>();
        var spending = new ArrayList<Spending>();
        try (var statement = connection.createStatement()) {
            var rows =
                    statement.executeQuery(
                            "SELECT %1$s, %2$s, %3$s, count(*) FROM %4$s WHERE %5$s GROUP BY 1, 2, 3"
                                    .formatted(
                                            FeatureCatalog.REPEAT_PURCHASES,
                                            FeatureCatalog.AGE_AT_LAST_PURCHASE,
                                            FeatureCatalog.CUSTOMER_AGE,
                                            BASE,
                                            learnt));
            while (rows.next()) {
                histories.put(
                        new PurchaseHistory(rows.getInt(1), rows.getDouble(2), rows.getDouble(3)),
                        rows.getLong(4));
            }
            rows =
                    statement.executeQuery(
                            "SELECT %1$s, %2$s FROM %3$s WHERE %1$s > 0 AND %2$s > 0 AND %4$s"
                                    .formatted(
                                            FeatureCatalog.REPEAT_PURCHASES,
                                            FeatureCatalog.REPEAT_VALUE,
                                            BASE,
                                            learnt));
            while (rows.next()) {
                spending.add(new Spending(rows.getInt(1), rows.getDouble(2)));
            }
        }
        return Lifetime.fit(histories, spending).orElse(null);
    }

    private List<Double> lifetimeValues(Lifetime lifetime, String learnt) throws SQLException {
        var values = DoubleStream.builder();
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT %s, %s, %s, coalesce(%s, 0) FROM %s WHERE %s"
                                        .formatted(
                                                FeatureCatalog.REPEAT_PURCHASES,
                                                FeatureCatalog.AGE_AT_LAST_PURCHASE,
                                                FeatureCatalog.CUSTOMER_AGE,
                                                FeatureCatalog.REPEAT_VALUE,
                                                BASE,
                                                learnt))) {
            while (rows.next()) {
                values.add(
                        DerivedFeatures.lifetimeValue(
                                lifetime,
                                new Lifetime.Customer(
                                        rows.getDouble(1),
                                        rows.getDouble(2),
                                        rows.getDouble(3),
                                        rows.getDouble(4))));
            }
        }
        var sorted = values.build().sorted().toArray();
        return IntStream.range(1, PERCENTILES)
                .mapToObj(i -> sorted[(i * sorted.length + PERCENTILES - 1) / PERCENTILES - 1])
                .toList();
    }

    /** Adds users to the table, with what the population tells of each. */
    private void put(UserColumns users, Population population) throws SQLException {
        var all = FeatureCatalog.all();
        var own = all.stream().map(feature -> users.column(feature.name())).toList();
        var inputs = DerivedFeatures.INPUTS.stream().map(users::column).toList();
        var compared = new HashMap<String, Object>();
        try (var table = connection.unwrap(DuckDBConnection.class).createAppender(TABLE)) {
            for (int user = 0; user < users.size(); user++) {
                compared.clear();
                for (int i = 0; i < inputs.size(); i++) {
                    var value = Objects.requireNonNull(inputs.get(i)).get(user);
                    if (value != null) {
                        compared.put(DerivedFeatures.INPUTS.get(i), value);
                    }
                }
                DerivedFeatures.add(compared, population);
                table.beginRow();
                table.append(users.id(user));
                for (int i = 0; i < own.size(); i++) {
                    var column = own.get(i);
                    if (column == null) {
                        append(table, compared.get(all.get(i).name()));
                    } else {
                        column.append(user, table);
                    }
                }
                table.endRow();
            }
        }
    }

    private static void append(DuckDBAppender table, @Nullable Object value) throws SQLException {
        switch (value) {
            case Double number -> table.append(number.doubleValue());
            case String text -> table.append(text);
            case null, default -> table.appendNull();
        }
    }

    private long count(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    private List<Double> numbers(String sql) throws SQLException {
        var numbers = new ArrayList<Double>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                numbers.add(rows.getDouble(1));
            }
        }
        return numbers;
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
