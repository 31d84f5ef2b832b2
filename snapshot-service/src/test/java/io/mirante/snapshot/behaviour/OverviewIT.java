package io.mirante.snapshot.behaviour;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.snapshot.CleanLog;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class OverviewIT {

    @Autowired private Mesh mesh;
    private CleanLog log;
    private String tenant;
    private WebTestClient client;

    @BeforeEach
    void open() {
        log = new CleanLog(mesh);
        tenant = mesh.newTenant();
        client = mesh.client(tenant);
    }

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void comparesAPeriodWithTheOneBefore() {
        log.send(
                // the day before: person 1
                event("a", "page_view", 1, "2026-11-09T23:59:59Z", "s0", "{\"url\":\"/\"}"),
                event("b", "purchase", 1, "2026-11-09T10:00:00Z", "s0", "{\"amount\":\"10\"}"),
                // the day: person 1 returns, person 2 is new; 2 has a session by gaps of 30 minutes
                event("c", "page_view", 1, "2026-11-10T00:00:00Z", "s1", "{\"url\":\"/a\"}"),
                event("d", "purchase", 1, "2026-11-10T00:10:00Z", "s1", "{\"amount\":12.50}"),
                event("e", "page_view", 2, "2026-11-10T10:00:00Z", null, "{\"url\":\"/a?x=1\"}"),
                event("f", "page_view", 2, "2026-11-10T10:29:59.999999Z", null, "{\"url\":\"/b\"}"),
                event("g", "page_view", 2, "2026-11-10T10:59:59.999999Z", null, "{\"url\":\"/b\"}"),
                event(
                        "h",
                        "purchase",
                        2,
                        "2026-11-10T11:00:00Z",
                        null,
                        "{\"amount\":5,\"currency\":\"EUR\"}"),
                // the day after
                event("i", "login", 3, "2026-11-11T00:00:00Z", null, "{}"));
        counted(log, client);

        var overview =
                get(
                        client,
                        "/api/v1/analytics/overview?start_time=2026-11-10T00:00:00Z&end_time=2026-11-11T00:00:00Z");
        assertFigure(overview, "events", "6", "2", "2");
        assertFigure(overview, "users", "2", "1", "1");
        assertFigure(overview, "sessions", "3", "1", "2");
        assertFigure(overview, "new_users", "1", "1", "0");
        assertFigure(overview, "returning_users", "1", "0", "null");
        assertFigure(overview, "revenue", "\"12.50\"", "\"10\"", "0.25");
        var top = overview.path("top");
        assertThat(top.path("event_types").get(0))
                .isEqualTo(Json.mapper().readTree("{\"key\":\"page_view\",\"value\":4}"));
        assertThat(top.path("pages").valueStream().map(p -> p.path("key").stringValue()))
                .containsExactly("/a", "/b");
        assertThat(top.path("countries").get(0).path("key").stringValue()).isEqualTo("BR");
        assertThat(top.path("devices").get(0).path("key").stringValue()).isEqualTo("Mobile");
        refused(
                client,
                400,
                "/api/v1/analytics/overview?start_time=2026-11-11T00:00:00Z&end_time=2026-11-11T00:00:00Z");
        refused(client, 400, "/api/v1/analytics/overview?end_time=soon");
    }

    @Test
    void revenueIsTheSumOfAmountsThatAreDecimalNumbers() {
        var amounts =
                List.of(
                        "0.10",
                        "1e2",
                        "-3",
                        "9".repeat(100),
                        "9".repeat(101),
                        "1e100",
                        "NaN",
                        " 5",
                        "5 ",
                        "٣",
                        "twelve",
                        "");
        var events = new ArrayList<CleanEvent>();
        for (String amount : amounts) {
            events.add(
                    event(
                            "amount-" + events.size(),
                            "purchase",
                            1,
                            "2026-11-10T10:00:00Z",
                            null,
                            "{\"amount\":\"%s\"}".formatted(amount)));
        }
        log.send(events);
        counted(log, client);
        assertThat(
                        get(
                                        client,
                                        "/api/v1/analytics/overview?start_time=2026-11-10T00:00:00Z&end_time=2026-11-11T00:00:00Z")
                                .path("revenue")
                                .path("value")
                                .stringValue())
                .isEqualTo(new BigDecimal("9".repeat(100)).add(new BigDecimal("97.10")).toString());
    }

    private static void assertFigure(
            JsonNode overview, String name, String value, String previous, String change) {
        assertThat(overview.path(name))
                .as(name)
                .isEqualTo(
                        Json.mapper()
                                .readTree(
                                        "{\"value\":%s,\"previous\":%s,\"change\":%s}"
                                                .formatted(value, previous, change)));
    }

    @Test
    void listsAPersonsEventsNewestFirst() {
        var events = new ArrayList<CleanEvent>();
        for (int i = 0; i < 5; i++) {
            events.add(
                    event(
                            "e" + i,
                            "login",
                            1,
                            "2026-11-10T10:00:0%dZ".formatted(i / 2),
                            null,
                            "{}"));
        }
        events.add(event("p", "page_view", 1, "2026-11-10T11:00:00Z", null, "{\"url\":\"/\"}"));
        events.add(event("other", "login", 2, "2026-11-10T11:00:00Z", null, "{}"));
        log.send(events);
        counted(log, client);
        assertThat(ids("/api/v1/users/user-1/events"))
                .containsExactly("p", "e4", "e3", "e2", "e1", "e0");
        assertThat(
                        ids(
                                "/api/v1/users/user-1/events?event_type=Login&end_time=2026-11-10T10:00:02Z"))
                .containsExactly("e3", "e2", "e1", "e0");
        var page = get(client, "/api/v1/users/user-1/events?limit=3");
        assertThat(page.path("items")).hasSize(3);
        assertThat(page.path("items").get(0).path("data"))
                .isEqualTo(Json.mapper().readTree("{\"url\":\"/\"}"));
        assertThat(
                        get(
                                        client,
                                        "/api/v1/users/user-1/events?limit=3&cursor={c}",
                                        page.path("next_cursor").stringValue())
                                .path("items")
                                .valueStream()
                                .map(e -> e.path("event_id").stringValue()))
                .containsExactly("e2", "e1", "e0");
        refused(client, 404, "/api/v1/users/nobody/events");
        refused(client, 400, "/api/v1/users/user-1/events?cursor=bm9uc2Vuc2U");
    }

    @Test
    void findsSessionsByIdAndByGap() {
        log.send(
                event("a", "page_view", 1, "2026-11-10T10:00:00Z", "s1", "{\"url\":\"/\"}"),
                event("b", "login", 1, "2026-11-10T14:00:00Z", "s1", "{}"),
                event("c", "page_view", 1, "2026-11-10T11:00:00Z", null, "{\"url\":\"/\"}"),
                event("d", "login", 1, "2026-11-10T11:29:59.999999Z", null, "{}"),
                event("e", "login", 1, "2026-11-10T11:59:59.999999Z", null, "{}"));
        counted(log, client);
        var sessions = get(client, "/api/v1/users/user-1/sessions").path("items");
        assertThat(
                        sessions.valueStream()
                                .map(s ->
                                        s.path("session_id").asString("-")
                                                + " "
                                                + s.path("started_at").stringValue()
                                                + " "
                                                + s.path("events").asInt()))
                .containsExactly(
                        "- 2026-11-10T11:59:59.999999Z 1",
                        "- 2026-11-10T11:00:00Z 2",
                        "s1 2026-11-10T10:00:00Z 2");
        assertThat(sessions.get(2).path("duration_seconds").asDouble()).isEqualTo(14_400);
        var page = get(client, "/api/v1/users/user-1/sessions?limit=2");
        assertThat(
                        get(
                                        client,
                                        "/api/v1/users/user-1/sessions?cursor={c}",
                                        page.path("next_cursor").stringValue())
                                .path("items"))
                .hasSize(1);
    }

    private List<String> ids(String path) {
        return get(client, path)
                .path("items")
                .valueStream()
                .map(e -> e.path("event_id").stringValue())
                .toList();
    }

    private CleanEvent event(
            String id, String type, long person, String at, String session, String data) {
        return CleanLog.event(tenant, id, type, person, Instant.parse(at), session, data);
    }
}
