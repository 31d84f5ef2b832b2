package io.mirante.etl.quality;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clean data is spoiled in each of eleven ways, at three rates: what the checks find of it is what docs/quality.md says.
 * Precision and recall are of rows; a check of whole columns finds it or not.
 */
class CorruptionTest {
    private static final int ROWS = 5_000;
    private static final List<Double> RATES = List.of(0.001, 0.01, 0.05);
    private static final Pattern ROW = Pattern.compile("row (\\d+):.*", Pattern.DOTALL);
    private static final String HEADER = "id,who,amount,fee,kind,state,churned,at";
    private static final TableShape SHAPE =
            new TableShape(
                    List.of(
                            TableShape.Column.required("id", ColumnType.TEXT),
                            TableShape.Column.required("who", ColumnType.TEXT),
                            new TableShape.Column(
                                    "amount", ColumnType.NUMBER, true, 0.0, null, List.of(), null),
                            TableShape.Column.of("fee", ColumnType.NUMBER),
                            TableShape.Column.of("kind", ColumnType.TEXT),
                            new TableShape.Column(
                                    "state",
                                    ColumnType.TEXT,
                                    false,
                                    null,
                                    null,
                                    List.of("open", "paid"),
                                    null),
                            TableShape.Column.of("churned", ColumnType.INTEGER),
                            TableShape.Column.required("at", ColumnType.TIMESTAMP)),
                    List.of("id"),
                    "at",
                    "churned",
                    List.of(
                            new TableShape.Rule(
                                    "gifts are paid", "kind <> 'gift' OR state = 'paid'")),
                    false);

    @TempDir Path folder;

    @FunctionalInterface
    private interface Spoil {
        void row(List<String[]> rows, int at, Random random);
    }

    private static Map<String, Spoil> kinds() {
        var kinds = new LinkedHashMap<String, Spoil>();
        kinds.put("completeness", (rows, at, random) -> rows.get(at)[1] = "");
        kinds.put(
                "primary_key_integrity",
                (rows, at, random) -> rows.get(at)[0] = rows.get((at + ROWS / 2) % ROWS)[0]);
        kinds.put("freshness", (rows, at, random) -> rows.get(at)[7] = "2027-06-01T00:00:00Z");
        kinds.put("duplicates", (rows, at, random) -> rows.add(rows.get(at).clone()));
        kinds.put(
                "outliers",
                (rows, at, random) ->
                        rows.get(at)[2] = "%d".formatted(1_000 + random.nextInt(500)));
        kinds.put("data_types", (rows, at, random) -> rows.get(at)[3] = "none of it");
        kinds.put(
                "business_rules",
                (rows, at, random) -> {
                    rows.get(at)[4] = "gift";
                    rows.get(at)[5] = "open";
                });
        kinds.put("value_ranges", (rows, at, random) -> rows.get(at)[5] = "lost");
        kinds.put(
                "statistical_distribution",
                (rows, at, random) ->
                        rows.get(at)[3] = "%.4f".formatted(9.9 + 0.05 * random.nextDouble()));
        kinds.put("feature_correlation", (rows, at, random) -> rows.get(at)[3] = rows.get(at)[2]);
        kinds.put(
                "ml_readiness",
                (rows, at, random) -> {
                    if (rows.get(at)[6].equals("1")) {
                        rows.get(at)[3] = "";
                    }
                });
        return kinds;
    }

    @Test
    void whatIsFoundOfElevenKindsOfCorruptionIsWhatTheDocumentationSays() throws Exception {
        var baseline = new ArrayList<Map<String, ColumnProfile>>();
        var before = new LinkedHashMap<String, Check>();
        check(clean(), Map.of(), tables -> baseline.add(checks(tables, Map.of()).profile()))
                .forEach(check -> before.put(check.name(), check));
        var lines = new ArrayList<String>();
        for (var kind : kinds().entrySet()) {
            for (double rate : RATES) {
                var rows = clean();
                var planted = new TreeSet<Integer>();
                var random = new Random(17);
                int count = (int) Math.round(ROWS * rate);
                while (planted.size() < count) {
                    planted.add(random.nextInt(ROWS / 2));
                }
                planted.forEach(at -> kind.getValue().row(rows, at, random));
                var wrong = new HashSet<Long>();
                int next = ROWS;
                for (int at : planted) {
                    wrong.add(
                            switch (kind.getKey()) {
                                case "duplicates" -> (long) ++next;
                                // The later of two with one key.
                                case "primary_key_integrity" -> (long) at + ROWS / 2 + 1;
                                default -> (long) at + 1;
                            });
                }
                var after = check(rows, baseline.getFirst(), tables -> {});
                lines.add(line(kind.getKey(), rate, wrong, before, after));
            }
        }
        var page = Files.readString(Path.of("..", "docs", "quality.md"));
        assertThat(page.lines().map(String::strip)).containsAll(lines);
    }

    private static String line(
            String kind,
            double rate,
            Set<Long> planted,
            Map<String, Check> before,
            List<Check> after) {
        var check = after.stream().filter(c -> c.name().equals(kind)).findFirst().orElseThrow();
        var found = new HashSet<Long>();
        for (var sample : check.samples()) {
            var row = ROW.matcher(sample);
            assertThat(row.matches()).as(sample).isTrue();
            found.add(Long.parseLong(row.group(1)));
        }
        var both = new HashSet<>(found);
        both.retainAll(planted);
        boolean ofRows =
                !Set.of("statistical_distribution", "feature_correlation", "ml_readiness")
                        .contains(kind);
        var sideEffects = new ArrayList<String>();
        for (var other : after) {
            var earlier = Objects.requireNonNull(before.get(other.name()));
            if (!other.name().equals(kind)
                    && (other.failingRows() != earlier.failingRows()
                            || other.status() != earlier.status())) {
                sideEffects.add(other.name());
            }
        }
        return "| %s | %s %% | %s | %s | %s | %s |"
                .formatted(
                        kind,
                        rate * 100 == Math.rint(rate * 100)
                                ? Long.toString(Math.round(rate * 100))
                                : Double.toString(rate * 100),
                        ofRows ? share(both.size(), found.size()) : "–",
                        ofRows ? share(both.size(), planted.size()) : "–",
                        check.status().label(),
                        sideEffects.isEmpty() ? "none" : String.join(", ", sideEffects));
    }

    private static String share(int part, int whole) {
        return whole == 0 ? "–" : String.format(Locale.ROOT, "%.2f", (double) part / whole);
    }

    private static List<String[]> clean() {
        var random = new Random(11);
        var rows = new ArrayList<String[]>();
        for (int i = 0; i < ROWS; i++) {
            boolean gift = random.nextInt(5) == 0;
            rows.add(
                    new String[] {
                        "r%06d".formatted(i),
                        "u%04d".formatted(random.nextInt(800)),
                        "%.2f".formatted(50 + 100 * random.nextDouble()),
                        "%.4f".formatted(10 * random.nextDouble()),
                        gift ? "gift" : "sale",
                        gift || random.nextBoolean() ? "paid" : "open",
                        random.nextInt(4) == 0 ? "1" : "0",
                        Transactions.NEWEST.minusSeconds(60L * (ROWS - 1 - i)).toString()
                    });
        }
        return rows;
    }

    @FunctionalInterface
    private interface Look {
        void at(Tables tables) throws Exception;
    }

    private List<Check> check(List<String[]> rows, Map<String, ColumnProfile> baseline, Look look)
            throws Exception {
        var lines = new ArrayList<String>(List.of(HEADER));
        rows.forEach(row -> lines.add(String.join(",", row)));
        var file = Files.write(folder.resolve("rows.csv"), lines);
        try (var tables = new Tables(folder.resolve("rows.duckdb"))) {
            tables.read(file, FileFormat.CSV);
            tables.clean(SHAPE);
            look.at(tables);
            return checks(tables, baseline).all();
        }
    }

    private static Checks checks(Tables tables, Map<String, ColumnProfile> baseline)
            throws SQLException {
        return new Checks(
                tables,
                Tables.TYPED,
                SHAPE,
                Thresholds.DEFAULT,
                Transactions.NEWEST.plus(Duration.ofHours(1)),
                baseline,
                Integer.MAX_VALUE);
    }
}
