package io.mirante.industry40.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.TelemetryReading;
import io.mirante.contracts.industry40.DeviceState;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;

@MeshTest
class TelemetryIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant T0 = Instant.parse("2026-11-20T10:00:00Z");
    private static final String TWIN = "/api/v1/industry40/twin/press-1";

    @Autowired Mesh mesh;

    private static Outgoing reading(String tenant, Instant at, Map<String, Double> metrics) {
        return bytes(tenant, new TelemetryReading("press-1", "press", at, metrics).toJson());
    }

    private static Outgoing bytes(String tenant, byte[] value) {
        return new Outgoing(
                Topics.TELEMETRY_RAW.name(),
                null,
                Keys.of(tenant, "press-1"),
                value,
                Map.of(CloudHeaders.TENANT, tenant));
    }

    private long rows(String tenant) throws Exception {
        try (var owner = mesh.jdbc();
                var count =
                        owner.prepareStatement(
                                "SELECT count(*) FROM telemetry_reading WHERE tenant_id = ?")) {
            count.setString(1, tenant);
            var result = count.executeQuery();
            result.next();
            return result.getLong(1);
        }
    }

    @Test
    void holdsNothingOfAPersonAndSaysSo() {
        assertThat(mesh.erase(mesh.newTenant(), "anyone", 1L).removed()).isEmpty();
    }

    @Test
    void theSameAgainIsOneAndAnotherValueOverwrites() throws Exception {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                List.of(
                        reading(tenant, T0, Map.of("temperature", 70.0)),
                        reading(tenant, T0, Map.of("temperature", 70.0)),
                        reading(tenant, T0, Map.of("temperature", 71.5)),
                        reading(
                                tenant,
                                T0.plusSeconds(1),
                                Map.of("temperature", 72.0, "end", 1.0))));
        await().atMost(SOON).untilAsserted(() -> assertThat(rows(tenant)).isEqualTo(3));
        mesh.client(tenant)
                .get()
                .uri(TWIN)
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.reported.temperature.value")
                .isEqualTo(72.0);
    }

    @Test
    void aLateReadingIsStoredAndDoesNotTurnTheTwinBack() throws Exception {
        var tenant = mesh.newTenant();
        mesh.send(reading(tenant, T0.plusSeconds(60), Map.of("temperature", 80.0)));
        await().atMost(SOON).untilAsserted(() -> assertThat(rows(tenant)).isEqualTo(1));
        mesh.send(reading(tenant, T0, Map.of("temperature", 20.0, "vibration", 1.0)));
        await().atMost(SOON).untilAsserted(() -> assertThat(rows(tenant)).isEqualTo(3));
        mesh.client(tenant)
                .get()
                .uri(TWIN)
                .exchange()
                .expectBody()
                .jsonPath("$.reported.temperature.value")
                .isEqualTo(80.0)
                .jsonPath("$.reported.vibration.value")
                .isEqualTo(1.0);
    }

    @Test
    void poisonDoesNotHurtItsNeighbours() throws Exception {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                List.of(
                        reading(tenant, T0, Map.of("a", 1.0)),
                        bytes(tenant, "{\"device_id\":".getBytes(StandardCharsets.UTF_8)),
                        bytes(
                                tenant,
                                "{\"device_id\":\"x\",\"metrics\":{}}"
                                        .getBytes(StandardCharsets.UTF_8)),
                        reading(tenant, T0, Map.of("b", 2.0))));
        await().atMost(SOON).untilAsserted(() -> assertThat(rows(tenant)).isEqualTo(2));
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(mesh.read(Topics.dead("industry40").name()))
                                .filteredOn(r ->
                                        tenant.equals(
                                                new String(
                                                        r.headers()
                                                                .lastHeader(CloudHeaders.TENANT)
                                                                .value(),
                                                        StandardCharsets.UTF_8)))
                                .hasSize(2));
    }

    @Test
    void wishesAreKeptApartFromReportsAndPublished() {
        var tenant = mesh.newTenant();
        mesh.send(reading(tenant, T0, Map.of("speed", 10.0)));
        var client = mesh.client(tenant);
        await().atMost(SOON)
                .untilAsserted(() -> client.get().uri(TWIN).exchange().expectStatus().isOk());
        var tag =
                client.get()
                        .uri(TWIN)
                        .exchange()
                        .expectBody()
                        .returnResult()
                        .getResponseHeaders()
                        .getETag();
        client.patch()
                .uri(TWIN)
                .header(HttpHeaders.IF_MATCH, tag)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"desired\":{\"speed\":12,\"mode\":\"eco\"}}")
                .exchange()
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.delta.speed")
                .isEqualTo(12)
                .jsonPath("$.delta.mode")
                .isEqualTo("eco");
        client.patch()
                .uri(TWIN)
                .header(HttpHeaders.IF_MATCH, tag)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue("{\"desired\":{\"speed\":13}}")
                .exchange()
                .expectStatus()
                .isEqualTo(412);
        await().atMost(SOON)
                .untilAsserted(() ->
                        assertThat(mesh.read(Topics.TELEMETRY_STATE.name()))
                                .extracting(
                                        r -> Json.mapper().readValue(r.value(), DeviceState.class))
                                .filteredOn(s -> s.tenantId().equals(tenant))
                                .extracting(s -> s.reported().get("speed"))
                                .contains(10.0));
    }

    @Test
    void anotherTenantsDeviceIsNotThere() {
        var tenant = mesh.newTenant();
        mesh.send(reading(tenant, T0, Map.of("speed", 10.0)));
        await().atMost(SOON)
                .untilAsserted(
                        () -> mesh.client(tenant).get().uri(TWIN).exchange().expectStatus().isOk());
        mesh.client(mesh.newTenant()).get().uri(TWIN).exchange().expectStatus().isNotFound();
        mesh.anonymous().get().uri(TWIN).exchange().expectStatus().isUnauthorized();
        mesh.client(tenant, "ingest").get().uri(TWIN).exchange().expectStatus().isForbidden();
    }

    @Test
    void oeeFromTelemetryAndFromFigures() {
        var tenant = mesh.newTenant();
        var readings = new java.util.ArrayList<Outgoing>();
        for (int minute = 0; minute < 60; minute++) {
            boolean stopped = minute >= 30 && minute < 40;
            readings.add(
                    reading(
                            tenant,
                            T0.plusSeconds(60L * minute),
                            Map.of(
                                    "running", stopped ? 0.0 : 1.0,
                                    "produced", stopped ? 0.0 : 10.0,
                                    "good", stopped ? 0.0 : 9.0)));
        }
        mesh.sendAll(readings);
        var body =
                """
                {"machine_id": "press-1", "start_time": "%s", "end_time": "%s"}\
                """
                        .formatted(T0, T0.plusSeconds(3600));
        await().atMost(SOON).untilAsserted(() -> assertThat(rows(tenant)).isEqualTo(180));
        post(tenant, body)
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.availability")
                .isEqualTo(50.0 / 60)
                .jsonPath("$.performance")
                .isEqualTo(1.0)
                .jsonPath("$.quality")
                .isEqualTo(0.9)
                .jsonPath("$.as_of")
                .exists();
        post(
                        tenant,
                        """
                        {"planned_operation_minutes": 480, "planned_downtime_minutes": 30, "setup_minutes": 20,
                         "breakdown_minutes": 40, "minor_stop_minutes": 15, "ideal_cycle_seconds": 60,
                         "produced": 330, "good": 320, "convention": "nakajima"}\
                        """)
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.oee")
                .isEqualTo(390.0 / 450 * (330.0 / 390) * (320.0 / 330));
    }

    @Test
    void badOeeInputNamesTheField() {
        var tenant = mesh.newTenant();
        post(tenant, "{\"produced\": 1}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/planned_operation_minutes");
        post(tenant, "{\"convention\": \"mine\"}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/convention");
        post(tenant, "{\"planed_operation_minutes\": 480}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].code")
                .isEqualTo("unknown_field");
        post(tenant, "{\"produced\": \"many\"}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/produced");
        post(tenant, "{nonsense").expectStatus().isBadRequest();
        post(
                        tenant,
                        "{\"machine_id\":\"none\",\"start_time\":\"2026-11-20T10:00:00Z\",\"end_time\":\"2026-11-20T11:00:00Z\"}")
                .expectStatus()
                .isEqualTo(422);
        post(
                        tenant,
                        "{\"planned_operation_minutes\":480,\"ideal_cycle_seconds\":60,\"produced\":10,\"good\":11}")
                .expectStatus()
                .isEqualTo(422)
                .expectBody()
                .jsonPath("$.detail")
                .value(String.class, detail -> assertThat(detail).startsWith("good"));
    }

    private org.springframework.test.web.reactive.server.WebTestClient.ResponseSpec post(
            String tenant, String body) {
        return mesh.client(tenant)
                .post()
                .uri("/api/v1/industry40/oee/calculate")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
    }
}
