package io.mirante.snapshot.behaviour;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.post;
import static io.mirante.snapshot.Asking.refused;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.etl.CleanEvent;
import io.mirante.snapshot.CleanLog;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.web.reactive.server.WebTestClient;
import tools.jackson.databind.JsonNode;

@MeshTest
class FunnelIT {

    private static final String PATH = "/api/v1/analytics/funnel";

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
    void countsPeopleStepByStep() {
        var events = new ArrayList<CleanEvent>();
        // 1 goes all the way, 2 pays too little, 3 pays a moment too late, 4 buys before looking, 5
        // only looks.
        for (int person = 1; person <= 5; person++) {
            events.add(page("h" + person, person, "2026-11-01T10:00:00Z", "https://shop.example/"));
        }
        for (int person = 1; person <= 4; person++) {
            events.add(
                    page(
                            "p" + person,
                            person,
                            "2026-11-01T10:0%d:00Z".formatted(person),
                            "/product/" + person + "?from=home"));
        }
        events.add(purchase("b1", 1, "2026-11-15T10:00:00Z", "\"50.00\""));
        events.add(purchase("b2", 2, "2026-11-02T10:00:00Z", "49.99"));
        events.add(purchase("b3", 3, "2026-11-15T10:00:00.000001Z", "60"));
        events.add(purchase("b4", 4, "2026-11-01T10:01:00Z", "60"));
        events.add(page("n", 0, "2026-11-01T10:00:00Z", "/"));
        log.send(events);
        counted(log, client);

        var answer =
                post(
                        client,
                        200,
                        PATH,
                        """
                        {"funnel_name": "Shop", "start_time": null, "end_time": null, "window": "P14D",
                         "order": "sequential", "breakdown": null, "exclusions": [],
                         "steps": [{"name": "Home", "condition_type": "PageView", "condition_value": "/"},
                                   {"name": "Product", "condition_type": "page_view", "condition_value": "/product*"},
                                   {"name": "Purchase", "condition_type": "purchase", "condition_value": "",
                                    "filters": [{"property": "data.amount", "operator": "gte", "value": 50}]}]}
                        """);
        assertThat(users(answer)).containsExactly(5L, 4L, 1L);
        assertThat(answer.path("total_users").asLong()).isEqualTo(5);
        assertThat(answer.path("overall_conversion_rate").asDouble()).isEqualTo(0.2);
        assertThat(answer.path("breakdown").isArray()).isTrue();
        var product = answer.path("steps").get(1);
        assertThat(product.path("drop_off").asLong()).isEqualTo(1);
        assertThat(product.path("conversion_from_previous").asDouble()).isEqualTo(0.8);
        assertThat(product.path("median_seconds_from_previous").asDouble()).isEqualTo(150.0);
        assertThat(product.path("average_seconds_from_previous").asDouble()).isEqualTo(150.0);
        assertThat(answer.path("steps").get(0).path("median_seconds_from_previous").isNull())
                .isTrue();

        var id = answer.path("funnel_id").stringValue();
        assertThat(people(id, "step=2&dropped=true")).containsExactly("user-5");
        assertThat(people(id, "step=3")).containsExactly("user-1");
        assertThat(people(id, "step=3&dropped=true")).containsExactly("user-2", "user-3", "user-4");
        var page = get(client, PATH + "/" + id + "/users?step=1&limit=2");
        assertThat(page.path("items")).hasSize(2);
        var next =
                get(
                        client,
                        PATH + "/" + id + "/users?step=1&limit=3&cursor={c}",
                        page.path("next_cursor").stringValue());
        assertThat(next.path("items").valueStream().map(p -> p.path("user_id").stringValue()))
                .containsExactly("user-3", "user-4", "user-5");
        assertThat(next.path("next_cursor").isNull()).isTrue();
        refused(mesh.client(mesh.newTenant()), 404, PATH + "/" + id + "/users?step=1");
        refused(client, 400, PATH + "/" + id + "/users?step=4");
        refused(client, 400, PATH + "/" + id + "/users?step=1&dropped=maybe");
    }

    @Test
    void filtersCompareNumbersAsNumbersAndTextsAsTexts() {
        log.send(
                search("s1", 1, "{\"query\":\"red shoes\",\"results\":3,\"nested\":{\"a\":\"x\"}}"),
                search("s2", 2, "{\"query\":\"blue\",\"results\":\"10\"}"),
                search("s3", 3, "{\"query\":\"it's 100%\",\"results\":null,\"sale\":true}"));
        counted(log, client);
        assertThat(matching("data.results", "eq", "3.0")).isEqualTo(1);
        assertThat(matching("data.results", "gt", "3")).isEqualTo(1);
        assertThat(matching("data.results", "lte", "\"10\"")).isEqualTo(2);
        assertThat(matching("data.results", "neq", "3")).isEqualTo(2);
        assertThat(matching("data.query", "contains", "\"shoe\"")).isEqualTo(1);
        assertThat(matching("data.query", "eq", "\"it's 100%\"")).isEqualTo(1);
        assertThat(matching("data.sale", "eq", "true")).isEqualTo(1);
        assertThat(matching("data.sale", "exists", "false")).isEqualTo(2);
        assertThat(matching("data.nested.a", "exists", "null")).isEqualTo(1);
        assertThat(matching("data.query'; DROP TABLE funnel --", "eq", "\"x\"")).isZero();
    }

    private long matching(String property, String operator, String value) {
        var answer =
                post(
                        client,
                        200,
                        PATH,
                        """
                        {"steps": [{"name": "S", "condition_type": "search", "filters":
                         [{"property": "%s", "operator": "%s", "value": %s}]}]}
                        """
                                .formatted(property, operator, value));
        return answer.path("steps").get(0).path("users").asLong();
    }

    @Test
    void wrongFunnelsNameTheField() {
        var step = "{\"name\":\"a\",\"condition_type\":\"login\"}";
        assertThat(pointers(400, "{}")).containsExactly("/steps");
        assertThat(pointers(400, "{\"steps\":[]}")).containsExactly("/steps");
        assertThat(pointers(400, "{\"steps\":[%s]}".formatted(String.join(",", many(step, 21)))))
                .containsExactly("/steps");
        assertThat(pointers(200, "{\"steps\":[%s]}".formatted(String.join(",", many(step, 20)))))
                .isEmpty();
        assertThat(pointers(400, "{\"window\":\"14 days\",\"steps\":[%s]}".formatted(step)))
                .containsExactly("/window");
        assertThat(pointers(400, "{\"window\":\"-P1D\",\"steps\":[%s]}".formatted(step)))
                .containsExactly("/window");
        assertThat(
                        pointers(
                                400,
                                "{\"start_time\":\"2026-11-02T00:00:00Z\",\"end_time\":\"2026-11-01T00:00:00Z\",\"steps\":[%s]}"
                                        .formatted(step)))
                .containsExactly("/end_time");
        assertThat(pointers(400, "{\"start_time\":\"monday\",\"steps\":[%s]}".formatted(step)))
                .containsExactly("/start_time");
        assertThat(pointers(400, "{\"stepps\":[%s]}".formatted(step))).containsExactly("/stepps");
        assertThat(pointers(400, "{\"order\":\"random\",\"steps\":[%s]}".formatted(step)))
                .containsExactly("/order");
        assertThat(pointers(400, "{\"steps\":[{\"name\":\"x\"}]}"))
                .containsExactly("/steps/0/condition_type");
        assertThat(
                        pointers(
                                400,
                                "{\"steps\":[{\"condition_type\":\"purchase\",\"filters\":[{\"property\":\"amount\",\"operator\":\"like\",\"value\":1}]}]}"))
                .containsExactly("/steps/0/filters/0/property", "/steps/0/filters/0/operator");
        assertThat(
                        pointers(
                                400,
                                "{\"steps\":[{\"condition_type\":\"purchase\",\"filters\":[{\"property\":\"data.amount\",\"operator\":\"gte\",\"value\":\"much\"}]}]}"))
                .containsExactly("/steps/0/filters/0/value");
        var two = step + "," + step;
        assertThat(pointers(400, "{\"breakdown\":\"country\",\"steps\":[%s]}".formatted(step)))
                .containsExactly("/breakdown");
        assertThat(
                        pointers(
                                400,
                                "{\"breakdown\":{\"property\":\"country; DROP TABLE funnel\"},\"steps\":[%s]}"
                                        .formatted(step)))
                .containsExactly("/breakdown/property");
        assertThat(pointers(400, "{\"exclusions\":[{}],\"steps\":[%s]}".formatted(step)))
                .containsExactly("/exclusions/0/condition_type");
        assertThat(
                        pointers(
                                400,
                                "{\"exclusions\":[%s],\"steps\":[%s]}"
                                        .formatted(
                                                String.join(
                                                        ",",
                                                        many("{\"condition_type\":\"x\"}", 11)),
                                                two)))
                .containsExactly("/exclusions");
        assertThat(
                        pointers(
                                400,
                                "{\"exclusions\":[{\"condition_type\":\"x\",\"from_step\":0,\"to_step\":3}],\"steps\":[%s]}"
                                        .formatted(two)))
                .containsExactly("/exclusions/0/from_step", "/exclusions/0/to_step");
        assertThat(
                        pointers(
                                400,
                                "{\"exclusions\":[{\"condition_type\":\"x\",\"from_step\":2}],\"steps\":[%s]}"
                                        .formatted(two)))
                .containsExactly("/exclusions/0/to_step");
        assertThat(
                        pointers(
                                400,
                                "{\"order\":\"any\",\"exclusions\":[{\"condition_type\":\"x\",\"from_step\":1}],\"steps\":[%s]}"
                                        .formatted(two)))
                .containsExactly("/exclusions/0/from_step");
        post(client, 400, PATH, "{\"steps\":");
        refused(client, 404, PATH + "/fun_none/users?step=1");
    }

    private static List<String> many(String text, int times) {
        return java.util.Collections.nCopies(times, text);
    }

    private List<String> pointers(int status, String body) {
        return post(client, status, PATH, body)
                .path("errors")
                .valueStream()
                .map(e -> e.path("pointer").stringValue())
                .toList();
    }

    private List<String> people(String id, String query) {
        return get(client, PATH + "/" + id + "/users?" + query)
                .path("items")
                .valueStream()
                .map(p -> p.path("user_id").stringValue())
                .toList();
    }

    private static List<Long> users(JsonNode answer) {
        return answer.path("steps").valueStream().map(s -> s.path("users").asLong()).toList();
    }

    private CleanEvent page(String id, long person, String at, String url) {
        return CleanLog.event(
                tenant, id, "page_view", person, at, "{\"url\":\"%s\"}".formatted(url));
    }

    private CleanEvent purchase(String id, long person, String at, String amount) {
        return CleanLog.event(
                tenant, id, "purchase", person, at, "{\"amount\":%s}".formatted(amount));
    }

    private CleanEvent search(String id, long person, String data) {
        return CleanLog.event(tenant, id, "search", person, "2026-11-01T10:00:00Z", data);
    }
}
