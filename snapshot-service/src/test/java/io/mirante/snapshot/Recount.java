package io.mirante.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.testkit.Mesh;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;

/** I4: windows equal a recount of the stored events by plain SQL. */
final class Recount {

    private static final String STORED =
            "SELECT granularity || ' ' || starts_at || ' ' || scope || ' ' || metric || ' ' || dimensions, value FROM"
                    + " metric_value WHERE tenant_id = ? AND (scope, metric) IN (('event', 'events'), ('commerce',"
                    + " 'revenue'), ('commerce', 'purchases'))";

    private static final String COUNTED =
            "SELECT g.name || ' ' || to_char(date_trunc(g.unit, occurred_at AT TIME ZONE 'UTC'),"
                    + " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || ' ' || %s, %s FROM behaviour_event, (VALUES ('hourly',"
                    + " 'hour'), ('daily', 'day')) g(name, unit) WHERE tenant_id = ? %s GROUP BY 1";

    private Recount() {}

    static void equalsWindows(Mesh mesh, String tenant) throws SQLException {
        var recount = new TreeMap<String, BigDecimal>();
        recount.putAll(
                query(
                        mesh,
                        COUNTED.formatted(
                                "'event events {\"event_type\":\"' || event_type || '\"}'",
                                "count(*)",
                                ""),
                        tenant));
        var currency = "{\"currency\":\"' || coalesce(data ->> 'currency', 'USD') || '\"}'";
        recount.putAll(
                query(
                        mesh,
                        COUNTED.formatted(
                                "'commerce revenue " + currency,
                                "sum((data ->> 'amount')::numeric)",
                                "AND event_type = 'purchase'"),
                        tenant));
        recount.putAll(
                query(
                        mesh,
                        COUNTED.formatted(
                                "'commerce purchases " + currency,
                                "count(*)",
                                "AND event_type = 'purchase'"),
                        tenant));
        assertThat(query(mesh, STORED, tenant)).isEqualTo(recount).isNotEmpty();
    }

    private static Map<String, BigDecimal> query(Mesh mesh, String sql, String tenant)
            throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.prepareStatement(sql)) {
            statement.setString(1, tenant);
            var rows = new TreeMap<String, BigDecimal>();
            var result = statement.executeQuery();
            while (result.next()) {
                rows.put(result.getString(1), result.getBigDecimal(2).stripTrailingZeros());
            }
            return rows;
        }
    }

    static long count(Mesh mesh, String sql, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.prepareStatement(sql)) {
            statement.setString(1, tenant);
            var result = statement.executeQuery();
            result.next();
            return result.getLong(1);
        }
    }
}
