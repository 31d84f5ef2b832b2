package io.mirante.etl.features;

import io.mirante.contracts.gateway.RfmBoundaries;
import io.mirante.etl.lifetime.PurchaseHistory;
import io.mirante.etl.lifetime.Spending;
import io.mirante.etl.quality.ColumnType;
import io.mirante.etl.quality.TableShape;
import io.mirante.etl.quality.TableShape.Column;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/**
 * Features of all users of a table of events at once, in a batch run's DuckDB. Makes the table {@link #TABLE}: user_id, then every
 * feature of the catalogue. Users are taken in parts, which DuckDB can hold. Of more than {@value #MOST_LEARNT} buyers the models of
 * lifetime are learnt from a part, drawn by a hash of their ids, so that the same buyers give the same models. Used by one
 * thread.
 */
public final class BatchFeatures {

    /** The table it makes. */
    public static final String TABLE = "features";

    private static final String BASE = "base_features";
    private static final String COMPARED = "compared_features";
    private static final int THIRDS = 3;
    private static final int QUARTERS = 4;
    private static final int FIFTHS = 5;
    private static final int PERCENTILES = 100;

    /** Buyers that models of lifetime are learnt from; their standard errors are below one in two hundred then. */
    static final long MOST_LEARNT = 250_000;

    private static final long EVENTS_AT_ONCE = 300_000;
    private static final long USERS_AT_ONCE = 40_000;

    /** Rows that are fetched at a time: DuckDB holds a whole result in memory. */
    private static final long CHUNK = 50_000;

    private static final TableShape SHAPE = shape();

    private final Connection connection;
    private final Instant asOf;

    private BatchFeatures(Connection connection, Instant asOf) {
        this.connection = connection;
        this.asOf = asOf;
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
        var batch = new BatchFeatures(connection, asOf);
        batch.aggregate(events, person, currency);
        var population = batch.population(boundaries);
        batch.compare(population);
        return population;
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
        var batch = new BatchFeatures(connection, asOf);
        batch.aggregate(events, person, currency);
        batch.compare(inForce);
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

    /** In parts of the users, since DuckDB holds what it knows of each user of a query in memory. */
    private void aggregate(String events, String person, String currency) throws SQLException {
        long parts =
                Math.max(
                        1 + count("SELECT count(*) FROM " + events) / EVENTS_AT_ONCE,
                        1
                                + count(
                                                "SELECT approx_count_distinct(%s) FROM %s"
                                                        .formatted(person, events))
                                        / USERS_AT_ONCE);
        for (long part = 0; part < parts; part++) {
            var query =
                    FeatureQuery.ofTable(
                            "(SELECT %1$s AS person_no, * FROM %2$s WHERE hash(%1$s) %% %3$d = %4$d)"
                                    .formatted(person, events, parts, part),
                            asOf,
                            "'%s'".formatted(currency.replace("'", "''")));
            execute(
                    (part == 0 ? "CREATE TABLE %s AS %s" : "INSERT INTO %s %s")
                            .formatted(BASE, query));
        }
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

    /** Adds what the population tells of each user. */
    private void compare(Population population) throws SQLException {
        var compared = FeatureCatalog.of(Feature.Origin.POPULATION);
        execute(
                "CREATE TABLE %s (user_id VARCHAR, %s)"
                        .formatted(
                                COMPARED,
                                compared.stream()
                                        .map(f -> f.name() + (f.isText() ? " VARCHAR" : " DOUBLE"))
                                        .collect(Collectors.joining(", "))));
        long users = count("SELECT count(*) FROM " + BASE);
        try (var statement = connection.createStatement();
                var table = connection.unwrap(DuckDBConnection.class).createAppender(COMPARED)) {
            for (long from = 0; from < users; from += CHUNK) {
                var rows =
                        statement.executeQuery(
                                "SELECT user_id, %s FROM %s WHERE rowid >= %d AND rowid < %d"
                                        .formatted(
                                                String.join(", ", DerivedFeatures.INPUTS),
                                                BASE,
                                                from,
                                                from + CHUNK));
                while (rows.next()) {
                    var values = values(rows);
                    DerivedFeatures.add(values, population);
                    append(table, rows.getString(1), values, compared);
                }
            }
        }
        execute(
                "CREATE TABLE %s AS SELECT user_id, %s FROM %s JOIN %s USING (user_id)"
                        .formatted(
                                TABLE,
                                FeatureCatalog.all().stream()
                                        .map(Feature::name)
                                        .collect(Collectors.joining(", ")),
                                BASE,
                                COMPARED));
        execute("DROP TABLE " + BASE);
        execute("DROP TABLE " + COMPARED);
    }

    private static Map<String, Object> values(ResultSet row) throws SQLException {
        var values = new HashMap<String, Object>();
        for (int i = 0; i < DerivedFeatures.INPUTS.size(); i++) {
            var value = row.getObject(i + 2);
            if (value != null) {
                values.put(DerivedFeatures.INPUTS.get(i), value);
            }
        }
        return values;
    }

    private static void append(
            DuckDBAppender table, String user, Map<String, Object> values, List<Feature> features)
            throws SQLException {
        table.beginRow();
        table.append(user);
        for (var feature : features) {
            switch (values.get(feature.name())) {
                case Double number -> table.append(number.doubleValue());
                case String text -> table.append(text);
                case null, default -> table.appendNull();
            }
        }
        table.endRow();
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
