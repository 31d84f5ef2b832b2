package io.mirante.snapshot.export;

import io.mirante.contracts.Json;
import io.mirante.platform.security.TokenMinter;
import io.mirante.platform.web.ProblemException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.util.UriBuilder;
import tools.jackson.databind.JsonNode;

/** Lists of other services, asked for with an {@code internal} token for the tenant, page by page. Thread-safe; blocks. */
@Component
final class OtherServices {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int PAGE = 500;

    private final Map<Service, WebClient> clients = new EnumMap<>(Service.class);
    private final TokenMinter tokens;

    OtherServices(
            @Value("${mirante.rebuild.etl-url}") String etl,
            @Value("${mirante.snapshot.segmentation-url}") String segmentation,
            @Value("${mirante.snapshot.churn-url}") String churn,
            @Value("${mirante.snapshot.alert-url}") String alert,
            TokenMinter tokens) {
        this.tokens = tokens;
        clients.put(Service.ETL, WebClient.create(etl));
        clients.put(Service.SEGMENTATION, WebClient.create(segmentation));
        clients.put(Service.CHURN, WebClient.create(churn));
        clients.put(Service.ALERT, WebClient.create(alert));
    }

    /** Who is asked. */
    enum Service {
        ETL("etl-service"),
        SEGMENTATION("segmentation-service"),
        CHURN("churn-service"),
        ALERT("alert-service");

        private final String label;

        Service(String label) {
            this.label = label;
        }
    }

    /**
     * All items of a list.
     *
     * @param path without a query
     * @param query further parameters
     * @throws ProblemException 503 when the service does not answer, or not with a list
     */
    void each(
            String tenant,
            Service service,
            String path,
            Map<String, String> query,
            Consumer<JsonNode> consumer) {
        String cursor = null;
        do {
            var page = page(tenant, service, path, query, cursor);
            page.path("items").forEach(consumer);
            cursor = page.path("next_cursor").stringValue(null);
        } while (cursor != null);
    }

    /** What a path is answered with. */
    JsonNode get(String tenant, Service service, String path) {
        return page(tenant, service, path, Map.of(), null);
    }

    private JsonNode page(
            String tenant,
            Service service,
            String path,
            Map<String, String> query,
            @Nullable String cursor) {
        try {
            var body =
                    Objects.requireNonNull(clients.get(service))
                            .get()
                            .uri(uri -> uri(uri.path(path), query, cursor))
                            .header(
                                    HttpHeaders.AUTHORIZATION,
                                    "Bearer " + tokens.internal(tenant, "snapshot-service"))
                            .retrieve()
                            .bodyToMono(byte[].class)
                            .block(LIMIT);
            return Json.mapper().readTree(body);
        } catch (RuntimeException e) {
            var problem =
                    ProblemException.unavailable(
                            service.label + " does not answer; try again", SOON);
            problem.addSuppressed(e);
            throw problem;
        }
    }

    private static URI uri(UriBuilder uri, Map<String, String> query, @Nullable String cursor) {
        uri.queryParam("limit", PAGE);
        // As values, since an id may hold what a template would take for a name.
        var values = new HashMap<String, Object>();
        query.forEach((name, value) -> {
            uri.queryParam(name, "{" + name + "}");
            values.put(name, value);
        });
        if (cursor != null) {
            uri.queryParam("cursor", "{cursor}");
            values.put("cursor", cursor);
        }
        return uri.build(values);
    }

    /** Of a row, by column: times and numbers as such, all else as text. */
    static List<@Nullable Object> values(JsonNode row, List<ExportColumn> columns) {
        return Arrays.asList(
                columns.stream().map(column -> value(row.path(column.source()), column)).toArray());
    }

    private static @Nullable Object value(JsonNode value, ExportColumn column) {
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        return switch (column.type()) {
            case TEXT -> value.asString();
            case TIME -> Instant.parse(value.stringValue());
            case INTEGER -> value.longValue();
            case NUMBER -> value.doubleValue();
            case AMOUNT ->
                    value.isNumber() ? value.decimalValue().toPlainString() : value.stringValue();
            case JSON, TEXTS, AMOUNTS -> value.toString();
        };
    }
}
