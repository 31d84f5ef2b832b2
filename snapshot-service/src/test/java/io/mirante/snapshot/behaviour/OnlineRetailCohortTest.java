package io.mirante.snapshot.behaviour;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Customers of a shop by the month of their first order, against published counts. */
@Tag("realdata")
class OnlineRetailCohortTest {

    private static final int MONTHS = 13;

    @Test
    void cohortsAreThePublishedOnes() throws SQLException {
        var first = Instant.parse("2010-12-01T00:00:00Z");
        var end = Instant.parse("2012-01-01T00:00:00Z");
        var periods =
                CohortPeriods.from(
                        first, CohortPeriods.Length.MONTH, ZoneOffset.UTC, 2 * MONTHS - 1);
        var counts =
                new CohortCounts(
                        periods,
                        new MergedPersons.Merged(new long[0], new long[0]),
                        true,
                        first.toEpochMilli() * 1_000,
                        end.toEpochMilli() * 1_000);
        var file =
                Path.of(System.getenv("MIRANTE_DATA"))
                        .resolve("online-retail/online_retail.csv.gz");
        try (var duckdb = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duckdb.createStatement();
                var rows =
                        statement.executeQuery(
                                """
                                SELECT CustomerID::double::bigint, epoch_us(InvoiceDate::timestamp)
                                FROM read_csv('%s', all_varchar = true)
                                WHERE CustomerID <> '' AND NOT starts_with(InvoiceNo, 'C') AND Quantity::int > 0
                                    AND UnitPrice::double > 0\
                                """
                                        .formatted(file))) {
            while (rows.next()) {
                counts.add(
                        rows.getLong(1),
                        rows.getLong(2),
                        CohortCounts.BEGINS | CohortCounts.RETURNS,
                        null);
            }
        }
        var retained = counts.retained(MONTHS, MONTHS);
        assertThat(Arrays.stream(retained).mapToLong(cohort -> cohort[0]))
                .containsExactly(
                        885L, 417L, 380L, 452L, 300L, 284L, 242L, 188L, 169L, 299L, 358L, 323L,
                        41L);
        assertThat(retained[0])
                .containsExactly(
                        885L, 324L, 286L, 340L, 321L, 352L, 321L, 309L, 313L, 350L, 331L, 445L,
                        235L);
    }
}
