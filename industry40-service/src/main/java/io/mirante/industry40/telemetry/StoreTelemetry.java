package io.mirante.industry40.telemetry;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.events.TelemetryReading;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Received;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ObjectNode;

/**
 * Stores a poll of readings and folds it into the devices' twins, within the transaction that advances the position. A
 * reading may come late: it is stored, and changes the twin only where it is newer than what the twin holds.
 */
final class StoreTelemetry {

    private record Cell(String tenant, String device, String metric, Instant at) {}

    private record Device(String tenant, String id) {}

    private static final Comparator<Cell> BY_KEY =
            Comparator.comparing(Cell::tenant)
                    .thenComparing(Cell::device)
                    .thenComparing(Cell::metric)
                    .thenComparing(Cell::at);

    private static final class Newest {
        private String type = "";
        private Instant at = Instant.MIN;
        private final ObjectNode reported = Json.mapper().createObjectNode();
    }

    private StoreTelemetry() {}

    static TenantReading parse(byte[] value, Headers headers) throws PoisonException {
        try {
            return new TenantReading(
                    headers.require(CloudHeaders.TENANT), TelemetryReading.fromJson(value));
        } catch (IllegalArgumentException e) {
            throw new PoisonException("bad_reading", String.valueOf(e.getMessage()));
        }
    }

    static Mono<Void> store(List<Received<TenantReading>> fresh, DatabaseClient db) {
        var cells = new TreeMap<Cell, Double>(BY_KEY);
        var twins =
                new TreeMap<Device, Newest>(
                        Comparator.comparing(Device::tenant).thenComparing(Device::id));
        for (var received : fresh) {
            var tenant = received.value().tenant();
            var reading = received.value().reading();
            var twin =
                    twins.computeIfAbsent(
                            new Device(tenant, reading.deviceId()), device -> new Newest());
            fold(twin, reading);
            reading.metrics()
                    .forEach((metric, value) ->
                            cells.put(
                                    new Cell(
                                            tenant,
                                            reading.deviceId(),
                                            metric,
                                            reading.timestamp()),
                                    value));
        }
        return storeReadings(cells, db).then(storeTwins(twins, db));
    }

    private static void fold(Newest twin, TelemetryReading reading) {
        if (!reading.timestamp().isBefore(twin.at)) {
            twin.at = reading.timestamp();
            var type = reading.deviceType();
            twin.type = type == null ? twin.type : type;
        }
        reading.metrics()
                .forEach((metric, value) -> {
                    var known = twin.reported.get(metric);
                    if (known == null
                            || !reading.timestamp()
                                    .isBefore(Instant.parse(known.get("at").stringValue()))) {
                        twin.reported
                                .putObject(metric)
                                .put("value", value)
                                .put("at", reading.timestamp().toString());
                    }
                });
    }

    private static Mono<Void> storeReadings(Map<Cell, Double> cells, DatabaseClient db) {
        var keys = new ArrayList<>(cells.keySet());
        return db.sql(
                        "INSERT INTO telemetry_reading (tenant_id, device_id, metric, read_at, value) SELECT * FROM"
                                + " UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::float8[]) ON"
                                + " CONFLICT (tenant_id, device_id, metric, read_at) DO UPDATE SET value ="
                                + " excluded.value WHERE telemetry_reading.value <> excluded.value")
                .bind(0, keys.stream().map(Cell::tenant).toArray(String[]::new))
                .bind(1, keys.stream().map(Cell::device).toArray(String[]::new))
                .bind(2, keys.stream().map(Cell::metric).toArray(String[]::new))
                .bind(3, keys.stream().map(c -> c.at().toString()).toArray(String[]::new))
                .bind(4, cells.values().toArray(Double[]::new))
                .then();
    }

    private static Mono<Void> storeTwins(Map<Device, Newest> twins, DatabaseClient db) {
        return db.sql(
                        "INSERT INTO twin AS t (tenant_id, device_id, device_type, reported, reported_at) SELECT tenant,"
                                + " device, type, reported::jsonb, at FROM UNNEST($1::text[], $2::text[], $3::text[],"
                                + " $4::text[], $5::timestamptz[]) AS v(tenant, device, type, reported, at) ON CONFLICT"
                                + " (tenant_id, device_id) DO UPDATE SET device_type = CASE WHEN excluded.device_type ="
                                + " '' THEN t.device_type ELSE excluded.device_type END, reported ="
                                + " newest(t.reported, excluded.reported), reported_at = greatest(t.reported_at,"
                                + " excluded.reported_at), revision = t.revision + 1 WHERE newest(t.reported,"
                                + " excluded.reported) <> t.reported")
                .bind(0, twins.keySet().stream().map(Device::tenant).toArray(String[]::new))
                .bind(1, twins.keySet().stream().map(Device::id).toArray(String[]::new))
                .bind(2, twins.values().stream().map(n -> n.type).toArray(String[]::new))
                .bind(
                        3,
                        twins.values().stream()
                                .map(n -> n.reported.toString())
                                .toArray(String[]::new))
                .bind(4, twins.values().stream().map(n -> n.at.toString()).toArray(String[]::new))
                .then();
    }

    @Configuration(proxyBeanMethods = false)
    static class Binding {

        @Bean
        Consumer<Message<List<byte[]>>> storeTelemetry(BatchRunner runner) {
            return runner.storing("storeTelemetry", StoreTelemetry::parse, StoreTelemetry::store);
        }
    }
}
