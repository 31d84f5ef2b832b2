package io.mirante.industry40.twin;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.industry40.DeviceState;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Publication;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.web.Paging;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The twins' rows, read and changed as one tenant, and their publication. Thread-safe. */
@Component
final class Twins {

    private static final String COLUMNS =
            "device_id, device_type, reported::text, desired::text, reported_at, revision";

    private final TenantDatabase tenants;

    Twins(TenantDatabase tenants) {
        this.tenants = tenants;
    }

    Mono<Twin> find(String tenant, String device, Instant asOf) {
        return tenants.one(
                tenant,
                db ->
                        db.sql(
                                        "SELECT "
                                                + COLUMNS
                                                + " FROM twin WHERE tenant_id = $1 AND device_id = $2")
                                .bind(0, tenant)
                                .bind(1, device)
                                .map(row -> read(row, asOf))
                                .one());
    }

    Flux<Twin> list(String tenant, Paging paging, Instant asOf) {
        return tenants.many(
                tenant,
                db ->
                        db.sql(
                                        "SELECT "
                                                + COLUMNS
                                                + " FROM twin WHERE tenant_id = $1 AND device_id > $2 ORDER BY device_id"
                                                + " LIMIT $3")
                                .bind(0, tenant)
                                .bind(1, Objects.requireNonNullElse(paging.after(), ""))
                                .bind(2, paging.limit() + 1)
                                .map(row -> read(row, asOf))
                                .all());
    }

    /**
     * Merges wishes into {@code desired}; a null removes one (RFC 7396).
     *
     * @return the changed twin; empty when it is not there or no longer at that revision
     */
    Mono<Twin> wish(String tenant, String device, long revision, JsonNode desired, Instant asOf) {
        return tenants.one(
                tenant,
                db ->
                        db.sql(
                                        "UPDATE twin SET desired = jsonb_strip_nulls(desired || $4::jsonb), revision ="
                                                + " revision + 1 WHERE tenant_id = $1 AND device_id = $2 AND revision ="
                                                + " $3 RETURNING "
                                                + COLUMNS)
                                .bind(0, tenant)
                                .bind(1, device)
                                .bind(2, revision)
                                .bind(3, desired.toString())
                                .map(row -> read(row, asOf))
                                .one());
    }

    private static Twin read(Readable row, Instant asOf) {
        var reported = Json.mapper().readTree(text(row, 2));
        var desired = Json.mapper().readTree(text(row, 3));
        return new Twin(
                text(row, 0),
                text(row, 1),
                reported,
                desired,
                delta(reported, desired),
                Objects.requireNonNull(row.get(4, Instant.class)),
                Objects.requireNonNull(row.get(5, Long.class)),
                asOf);
    }

    /** What is wanted and differs from what is reported; numbers are compared by value. */
    static ObjectNode delta(JsonNode reported, JsonNode desired) {
        var delta = Json.mapper().createObjectNode();
        desired.properties()
                .forEach(wish -> {
                    var is = reported.path(wish.getKey()).path("value");
                    boolean same =
                            wish.getValue().isNumber() && is.isNumber()
                                    ? wish.getValue().doubleValue() == is.doubleValue()
                                    : wish.getValue().equals(is);
                    if (!same) {
                        delta.set(wish.getKey(), wish.getValue());
                    }
                });
        return delta;
    }

    private static String text(Readable row, int column) {
        return Objects.requireNonNull(row.get(column, String.class));
    }

    @Configuration(proxyBeanMethods = false)
    static class Published {

        @Bean
        Publication deviceStates() {
            return new Publication(
                    "twin",
                    List.of("tenant_id", "device_id"),
                    "SELECT tenant_id, device_id, device_type, reported::text AS reported, reported_at, revision FROM"
                            + " twin WHERE revision > published_revision ORDER BY tenant_id, device_id LIMIT 1000",
                    Published::message);
        }

        private static Outgoing message(Readable row) {
            var tenant = Objects.requireNonNull(row.get("tenant_id", String.class));
            var device = Objects.requireNonNull(row.get("device_id", String.class));
            Map<String, Double> values = new HashMap<>();
            Json.mapper()
                    .readTree(Objects.requireNonNull(row.get("reported", String.class)))
                    .properties()
                    .forEach(e -> values.put(e.getKey(), e.getValue().path("value").doubleValue()));
            var state =
                    new DeviceState(
                            tenant,
                            device,
                            Objects.requireNonNull(row.get("device_type", String.class)),
                            Objects.requireNonNull(row.get("reported_at", Instant.class)),
                            values,
                            Objects.requireNonNull(row.get("revision", Long.class)));
            return new Outgoing(
                    Topics.TELEMETRY_STATE.name(),
                    null,
                    Keys.of(tenant, device),
                    Json.mapper().writeValueAsBytes(state),
                    Map.of(
                            CloudHeaders.SPEC_VERSION,
                            "1.0",
                            CloudHeaders.ID,
                            device + "@" + state.revision(),
                            CloudHeaders.TYPE,
                            "device_state",
                            CloudHeaders.SOURCE,
                            "/industry40",
                            CloudHeaders.SUBJECT,
                            device,
                            CloudHeaders.TIME,
                            state.reportedAt().toString(),
                            CloudHeaders.TENANT,
                            tenant,
                            CloudHeaders.REVISION,
                            Long.toString(state.revision())));
        }
    }
}
