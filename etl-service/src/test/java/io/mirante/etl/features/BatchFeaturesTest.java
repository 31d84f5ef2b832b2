package io.mirante.etl.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.duckdb.DuckDBConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BatchFeaturesTest {

    private static final Instant END = Instant.parse("2026-11-20T00:00:00Z");

    private DuckDBConnection duckdb;

    @BeforeEach
    void open() throws SQLException {
        duckdb = DriverManager.getConnection("jdbc:duckdb:").unwrap(DuckDBConnection.class);
        execute("SET TimeZone = 'UTC'");
        execute(
                "CREATE TABLE e (user_id VARCHAR, id VARCHAR, event_type VARCHAR, session_id VARCHAR, occurred_at TIMESTAMPTZ,"
                        + " score DOUBLE, amount DOUBLE, currency VARCHAR, category VARCHAR, game_type VARCHAR, channel VARCHAR,"
                        + " opt_in_games INT, opt_in_promotions INT)");
    }

    @AfterEach
    void close() throws SQLException {
        duckdb.close();
    }

    @Test
    void equalsARecountAndIgnoresTheFuture() throws SQLException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var histories = histories(random, 60);
        var moment = END.minus(Duration.ofDays(60));
        var planted = new Recount.Event("x", "purchase", null, moment, "100000", null, null);
        histories.values().forEach(events -> events.add(planted));
        fill(histories);
        BatchFeatures.make(duckdb, "e", "user_id", moment, "USD", null);
        var features = features();
        histories.forEach((user, events) -> {
            var expected = Recount.of(events, moment, "USD");
            assertThat(features.containsKey(user)).isEqualTo(!expected.isEmpty());
            if (!expected.isEmpty()) {
                var numbers = new HashMap<String, Double>();
                var texts = new HashMap<String, String>();
                for (var feature : FeatureQuery.computed()) {
                    switch (features.get(user).get(feature.name())) {
                        case Double number -> numbers.put(feature.name(), number);
                        case String text -> texts.put(feature.name(), text);
                        case null, default -> {}
                    }
                }
                UserFeaturesIT.assertSame("seed " + seed + ", " + user, numbers, expected);
                assertThat(texts).isEqualTo(Recount.texts(events, moment));
            }
        });
    }

    @Test
    void aUsersOwnFoldIsTheSameAtTheSameMoment() throws SQLException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var histories = histories(random, 60);
        var moment = END.minus(Duration.ofDays(random.nextInt(20))).plusNanos(1_000);
        histories
                .values()
                .forEach(events -> {
                    for (int days : new int[] {7, 14, 30, 60, 90, 180}) {
                        var edge = moment.minus(Duration.ofDays(days));
                        events.add(purchase(edge, "7.10"));
                        events.add(purchase(edge.minusNanos(1_000), "0.20"));
                    }
                    events.add(purchase(moment.minusNanos(1_000), "3.30"));
                    java.util.Collections.shuffle(events, random);
                });
        assertFoldedAlike(seed, histories, moment);
    }

    private void assertFoldedAlike(
            long seed, Map<String, List<Recount.Event>> histories, Instant moment)
            throws SQLException {
        fill(histories);
        BatchFeatures.make(duckdb, "e", "user_id", moment, "USD", null);
        var features = features();
        long micros = ChronoUnit.MICROS.between(Instant.EPOCH, moment);
        histories.forEach((user, events) -> {
            var own =
                    OwnFeatures.of(
                            events.stream()
                                    .filter(e -> e.at().isBefore(moment))
                                    .map(BatchFeaturesTest::fact)
                                    .toList(),
                            micros,
                            "USD");
            for (var feature : FeatureQuery.computed()) {
                var what = "seed %d, %s, %s".formatted(seed, user, feature.name());
                if (own.get(feature.name()) instanceof Double number) {
                    assertThat((Double) features.get(user).get(feature.name()))
                            .as(what)
                            .isCloseTo(number, within(1e-9 * Math.max(1, Math.abs(number))));
                } else {
                    assertThat(own.get(feature.name()))
                            .as(what)
                            .isEqualTo(features.get(user).get(feature.name()));
                }
            }
            assertThat(own.keySet())
                    .isSubsetOf(FeatureQuery.computed().stream().map(Feature::name).toList());
        });
    }

    private static Fact fact(Recount.Event event) {
        Double optIn = event.optIn() == null ? null : event.optIn() ? 1.0 : 0.0;
        return new Fact(
                ChronoUnit.MICROS.between(Instant.EPOCH, event.at()),
                event.type(),
                true,
                event.session(),
                event.amount() == null ? null : new BigDecimal(event.amount()),
                event.currency(),
                event.score(),
                event.category(),
                event.channel(),
                event.game() == null ? null : event.game().toLowerCase(Locale.ROOT),
                optIn,
                optIn,
                event.id());
    }

    @Test
    void scoresCompareABuyerWithAllBuyers() throws SQLException {
        var histories = new HashMap<String, List<Recount.Event>>();
        for (int i = 0; i < 100; i++) {
            var events = new ArrayList<Recount.Event>();
            // user i bought i + 1 times in all, for i + 1 each, the last time i days before the end
            for (int n = 0; n <= i; n++) {
                events.add(purchase(END.minus(Duration.ofDays(i + n)).minusSeconds(1), i + 1 + ""));
            }
            histories.put("u%02d".formatted(i), events);
        }
        histories.put("visitor", new ArrayList<>(List.of(view(END.minusSeconds(9)))));
        fill(histories);
        var population = BatchFeatures.make(duckdb, "e", "user_id", END, "USD", null);
        assertThat(population.buyers()).isEqualTo(100);
        assertThat(population.fifths().frequency()).containsExactly(20.0, 40.0, 60.0, 80.0);
        assertThat(population.quarters().frequency()).containsExactly(25.0, 50.0, 75.0);
        var features = features();
        // at rank 20 of 100 the boundary itself belongs to the lower part
        assertThat(features.get("u19"))
                .containsEntry("frequency_score_5", 1.0)
                .containsEntry("monetary_score_5", 1.0)
                .containsEntry("recency_score_5", 5.0)
                .containsEntry("frequency_score", 1.0)
                .containsEntry("rfm_segment", "new")
                .containsEntry("ticket_medio_categoria", "baixo")
                .containsEntry("ticket_category", "low");
        assertThat(features.get("u20"))
                .containsEntry("frequency_score_5", 2.0)
                .containsEntry("recency_score_5", 4.0);
        assertThat(features.get("u99"))
                .containsEntry("frequency_score", 4.0)
                .containsEntry("recency_score", 1.0)
                .containsEntry("rfm_segment", "cannot_lose")
                .containsEntry("ticket_medio_categoria", "alto");
        assertThat(features.get("visitor"))
                .doesNotContainKeys("recency_score", "rfm_segment", "churn_risk_score");
    }

    @Test
    void withoutAnyBuyerThereIsNothingToCompareWith() throws SQLException {
        fill(Map.of("ana", List.of(view(END.minusSeconds(9)))));
        var population = BatchFeatures.make(duckdb, "e", "user_id", END, "USD", null);
        assertThat(population.buyers()).isZero();
        assertThat(features()).hasSize(1);
        assertThat(features().get("ana")).containsEntry("events_total", 1.0);
    }

    @Test
    void usersOfSeveralChunksAreEachComparedOnce() throws SQLException {
        int users = 120_001;
        execute(
                "INSERT INTO e (user_id, id, event_type, occurred_at, amount) SELECT 'u' || i, 'p' || i, 'purchase',"
                        + " TIMESTAMPTZ '2026-11-01T00:00:00Z', i FROM range(%d) t(i)"
                                .formatted(users));
        BatchFeatures.make(duckdb, "e", "user_id", END, "USD", null);
        try (var statement = duckdb.createStatement();
                var row =
                        statement.executeQuery(
                                "SELECT count(*), count(DISTINCT user_id), count(monetary_score) FROM features")) {
            row.next();
            assertThat(List.of(row.getInt(1), row.getInt(2), row.getInt(3))).containsOnly(users);
        }
    }

    @Test
    void anAmountIsTheShortestDecimalThatIsTheNumber() {
        var random = new Random(7);
        for (double exponent = -12; exponent < 20; exponent += 0.01) {
            for (double amount :
                    new double[] {
                        random.nextDouble() * Math.pow(10, exponent),
                        Math.round(random.nextDouble() * Math.pow(10, exponent)) / 100.0,
                        -Math.pow(10, Math.rint(exponent))
                    }) {
                assertThat(HeldEvents.money(amount))
                        .isEqualByComparingTo(new BigDecimal(Double.toString(amount)));
            }
        }
        assertThat(HeldEvents.money(Double.NaN)).isNull();
    }

    @Test
    void aUserWithMoreEventsThanAreHeldIsFoldedAsAnyOther() throws SQLException {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var histories = histories(random, 3);
        // Among the others, whose numbers go on after it.
        histories.put(
                "user-1-busy",
                new ArrayList<>(
                        RandomEvents.history(
                                random, END, (int) BatchFeatures.MOST_OF_ONE + 1_000, 200)));
        assertFoldedAlike(seed, histories, END);
    }

    @Test
    void modelsOfLifetimeAreLearntOfSoManyBuyersAtMost() {
        assertThat(BatchFeatures.learnt(BatchFeatures.MOST_LEARNT)).doesNotContain("hash");
        assertThat(BatchFeatures.learnt(BatchFeatures.MOST_LEARNT + 1))
                .contains("hash(user_id) % 2 = 0");
        assertThat(BatchFeatures.learnt(4 * BatchFeatures.MOST_LEARNT))
                .contains("hash(user_id) % 4 = 0");
    }

    private static Recount.Event purchase(Instant at, String amount) {
        return new Recount.Event("p" + at, "purchase", null, at, amount, null, null);
    }

    private static Recount.Event view(Instant at) {
        return new Recount.Event("v" + at, "page_view", null, at, null, null, null);
    }

    private static Map<String, List<Recount.Event>> histories(Random random, int users) {
        var histories = new HashMap<String, List<Recount.Event>>();
        for (int i = 0; i < users; i++) {
            histories.put(
                    "user-" + i,
                    new ArrayList<>(
                            RandomEvents.history(random, END, 1 + random.nextInt(60), 200)));
        }
        return histories;
    }

    private void fill(Map<String, List<Recount.Event>> histories) throws SQLException {
        try (var table = duckdb.createAppender("e")) {
            for (var history : histories.entrySet()) {
                for (var event : history.getValue()) {
                    table.beginRow();
                    table.append(history.getKey());
                    table.append(event.id());
                    table.append(event.type());
                    table.append(event.session());
                    table.append(event.at().atOffset(ZoneOffset.UTC));
                    table.append(event.score());
                    table.append(event.amount() == null ? null : Double.valueOf(event.amount()));
                    table.append(event.currency());
                    table.append(event.category());
                    table.append(
                            event.game() == null ? null : event.game().toLowerCase(Locale.ROOT));
                    table.append(event.channel());
                    Integer optIn = event.optIn() == null ? null : event.optIn() ? 1 : 0;
                    table.append(optIn);
                    table.append(optIn);
                    table.endRow();
                }
            }
        }
    }

    private Map<String, Map<String, Object>> features() throws SQLException {
        var features = new HashMap<String, Map<String, Object>>();
        var names =
                FeatureCatalog.all().stream().map(Feature::name).collect(Collectors.joining(", "));
        try (var statement = duckdb.createStatement();
                var rows = statement.executeQuery("SELECT user_id, " + names + " FROM features")) {
            while (rows.next()) {
                var values = new HashMap<String, Object>();
                for (var feature : FeatureCatalog.all()) {
                    var value = rows.getObject(feature.name());
                    if (value != null) {
                        values.put(feature.name(), value);
                    }
                }
                features.put(rows.getString(1), values);
            }
        }
        return features;
    }

    private void execute(String sql) throws SQLException {
        try (var statement = duckdb.createStatement()) {
            statement.execute(sql);
        }
    }
}
