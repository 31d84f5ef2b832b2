package io.mirante.snapshot.export;

import io.mirante.contracts.Json;
import io.mirante.platform.web.TimeRange;
import io.mirante.snapshot.export.ExportColumn.Type;
import io.mirante.snapshot.export.OtherServices.Service;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import tools.jackson.databind.JsonNode;

/** Data sets that other services keep. */
@Configuration(proxyBeanMethods = false)
class OthersDatasets {

    private static final List<ExportColumn> PREDICTIONS =
            List.of(
                    new ExportColumn("prediction_id", Type.TEXT),
                    new ExportColumn("customer_id", Type.TEXT),
                    new ExportColumn("model", Type.TEXT),
                    new ExportColumn("model_id", Type.TEXT),
                    new ExportColumn("model_version", Type.INTEGER),
                    new ExportColumn("label", Type.TEXT),
                    new ExportColumn("probability", Type.NUMBER),
                    new ExportColumn("margin", Type.NUMBER),
                    new ExportColumn("base_value", Type.NUMBER),
                    new ExportColumn("threshold", Type.NUMBER),
                    new ExportColumn("risk", Type.TEXT),
                    new ExportColumn("reasons", Type.JSON),
                    new ExportColumn("as_of", Type.TIME),
                    new ExportColumn("created_at", Type.TIME));

    private static final List<ExportColumn> ALERTS =
            List.of(
                    new ExportColumn("id", Type.TEXT),
                    new ExportColumn("rule_id", Type.TEXT),
                    new ExportColumn("type", Type.TEXT),
                    new ExportColumn("metric", Type.TEXT),
                    new ExportColumn("state", Type.TEXT),
                    new ExportColumn("value", Type.AMOUNT),
                    new ExportColumn("threshold", Type.AMOUNT),
                    new ExportColumn("started_at", Type.TIME),
                    new ExportColumn("fired_at", Type.TIME),
                    new ExportColumn("resolved_at", Type.TIME),
                    new ExportColumn("acknowledged_at", Type.TIME),
                    new ExportColumn("acknowledged_by", Type.TEXT),
                    new ExportColumn("revision", Type.INTEGER));

    private static final List<ExportColumn> CLUSTERS =
            List.of(
                    new ExportColumn("user_id", Type.TEXT),
                    new ExportColumn("cluster", Type.TEXT),
                    new ExportColumn("label", Type.TEXT),
                    new ExportColumn("model_id", Type.TEXT));

    /** Gives all rows to a consumer. */
    private interface Rows {
        void each(String tenant, Export.Wanted wanted, Consumer<JsonNode> row);
    }

    private record Listed(
            String name, Set<Dataset.Filter> filters, List<ExportColumn> columns, Rows rows)
            implements Dataset {

        @Override
        public void write(String tenant, Export.Wanted wanted, ExportFile file, Runnable pulse)
                throws SQLException {
            file.begin(columns);
            rows.each(
                    tenant,
                    wanted,
                    row -> {
                        pulse.run();
                        file.add(OtherServices.values(row, columns));
                    });
            file.finish(null);
        }
    }

    /** By the time at which they were made. */
    @Bean
    Dataset predictions(OtherServices others) {
        return new Listed(
                "predictions",
                EnumSet.of(Dataset.Filter.USER_IDS, Dataset.Filter.TIMES),
                PREDICTIONS,
                (tenant, wanted, row) -> {
                    var users = wanted.userIds().isEmpty() ? List.of("") : wanted.userIds();
                    for (var user : users) {
                        others.each(
                                tenant,
                                Service.CHURN,
                                "/api/v1/predictions",
                                user.isEmpty() ? Map.of() : Map.of("customer_id", user),
                                within(wanted.range(), "created_at", row));
                    }
                });
    }

    /** By the time at which they began. */
    @Bean
    Dataset alerts(OtherServices others) {
        return new Listed(
                "alerts",
                EnumSet.of(Dataset.Filter.TIMES),
                ALERTS,
                (tenant, wanted, row) ->
                        others.each(
                                tenant,
                                Service.ALERT,
                                "/api/v1/alerts",
                                Map.of(),
                                within(wanted.range(), "started_at", row)));
    }

    /** Which cluster of the model in force each user is in. */
    @Bean
    Dataset clusters(OtherServices others) {
        return new Listed(
                "clusters",
                EnumSet.of(Dataset.Filter.USER_IDS),
                CLUSTERS,
                (tenant, wanted, row) ->
                        others.get(tenant, Service.SEGMENTATION, "/api/v1/segments")
                                .path("items")
                                .forEach(segment -> {
                                    if (segment.path("kind").asString("").equals("cluster")) {
                                        others.each(
                                                tenant,
                                                Service.SEGMENTATION,
                                                "/api/v1/segments/"
                                                        + segment.path("id").stringValue()
                                                        + "/users",
                                                Map.of(),
                                                user -> clustered(segment, user, wanted, row));
                                    }
                                }));
    }

    private static void clustered(
            JsonNode segment, JsonNode user, Export.Wanted wanted, Consumer<JsonNode> consumer) {
        if (wanted.ofUser(user.path("user_id").stringValue())) {
            var row = Json.mapper().createObjectNode();
            row.set("user_id", user.path("user_id"));
            row.set("cluster", segment.path("id"));
            row.set("label", segment.path("name"));
            row.set("model_id", segment.path("model_id"));
            consumer.accept(row);
        }
    }

    /** A column for each feature of the catalogue. */
    @Bean
    Dataset features(OtherServices others) {
        return new Dataset() {
            @Override
            public String name() {
                return "features";
            }

            @Override
            public Set<Filter> filters() {
                return EnumSet.of(Filter.USER_IDS);
            }

            @Override
            public void write(String tenant, Export.Wanted wanted, ExportFile file, Runnable pulse)
                    throws SQLException {
                var own =
                        List.of(
                                new ExportColumn("user_id", Type.TEXT),
                                new ExportColumn("as_of", Type.TIME),
                                new ExportColumn("version", Type.INTEGER),
                                new ExportColumn("population", Type.INTEGER));
                var made =
                        others.get(tenant, Service.ETL, "/api/v1/features/catalog")
                                .path("features")
                                .valueStream()
                                .map(feature ->
                                        new ExportColumn(
                                                feature.path("name").stringValue(),
                                                feature.path("type").asString("").equals("category")
                                                        ? Type.TEXT
                                                        : Type.NUMBER))
                                .toList();
                var columns = new ArrayList<>(own);
                columns.addAll(made);
                file.begin(columns);
                others.each(
                        tenant,
                        Service.ETL,
                        "/api/v1/features",
                        Map.of(),
                        user -> {
                            pulse.run();
                            if (wanted.ofUser(user.path("user_id").stringValue())) {
                                var values = new ArrayList<>(OtherServices.values(user, own));
                                values.addAll(OtherServices.values(user.path("features"), made));
                                file.add(values);
                            }
                        });
                file.finish(null);
            }
        };
    }

    private static Consumer<JsonNode> within(
            TimeRange range, String time, Consumer<JsonNode> consumer) {
        return row -> {
            var at = Instant.parse(row.path(time).stringValue());
            if (!at.isBefore(range.start()) && at.isBefore(range.end())) {
                consumer.accept(row);
            }
        };
    }
}
