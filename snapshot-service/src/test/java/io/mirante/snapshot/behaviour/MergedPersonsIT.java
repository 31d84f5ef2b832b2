package io.mirante.snapshot.behaviour;

import static io.mirante.snapshot.Asking.counted;
import static io.mirante.snapshot.Asking.eventually;
import static io.mirante.snapshot.Asking.get;
import static io.mirante.snapshot.Asking.post;
import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.etl.PersonNumbered;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.snapshot.CleanLog;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.test.web.reactive.server.WebTestClient;

@MeshTest
class MergedPersonsIT {

    private static final String FUNNEL =
            """
            {"order": "sequential", "steps": [{"name": "Home", "condition_type": "page_view"},
             {"name": "Purchase", "condition_type": "purchase"}]}
            """;

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
    void whoWasAnonymousAndIsKnownNowIsOnePersonUntilThatIsUndone() {
        // 1 and 2 are visitors, 3 is ana, 4 is bob
        log.send(
                event("h1", "page_view", 1, "cookie-1", null, "2026-11-01T10:00:00Z"),
                event("h2", "page_view", 2, "cookie-2", null, "2026-11-01T10:00:00Z"),
                event("b3", "purchase", 3, null, "ana", "2026-11-02T10:00:00Z"),
                event("b4", "purchase", 4, null, "bob", "2026-11-02T10:00:00Z"));
        counted(log, client);
        assertThat(users()).containsExactly(2L, 0L);
        assertThat(overview("users")).isEqualTo(4);
        assertThat(overview("new_users")).isEqualTo(2);

        // a number and a refusal merge nobody; a newer row counts although the older one comes
        // later
        mesh.sendAll(
                List.of(
                        numbered(1, "cookie-1"),
                        merge(2, "cookie-2", "bob", 4, PersonMerge.REFUSED, 9),
                        merge(1, "cookie-1", "ana", 3, PersonMerge.MERGED, 3),
                        merge(1, "cookie-1", "bob", 4, PersonMerge.UNDONE, 2)));
        eventually(() -> assertThat(users()).containsExactly(2L, 1L));
        assertThat(overview("users")).isEqualTo(3);
        // ana was there the day before
        assertThat(overview("new_users")).isEqualTo(1);
        assertThat(overview("returning_users")).isEqualTo(1);
        for (var id : List.of("ana", "cookie-1")) {
            assertThat(
                            get(client, "/api/v1/users/" + id + "/events")
                                    .path("items")
                                    .valueStream()
                                    .map(e -> e.path("event_id").stringValue()))
                    .containsExactly("b3", "h1");
        }
        assertThat(get(client, "/api/v1/users/ana/sessions").path("items")).hasSize(2);
        var id =
                post(client, 200, "/api/v1/analytics/funnel", FUNNEL)
                        .path("funnel_id")
                        .stringValue();
        assertThat(
                        get(client, "/api/v1/analytics/funnel/" + id + "/users?step=2")
                                .path("items")
                                .valueStream()
                                .map(p -> p.path("user_id").stringValue()))
                .containsExactly("ana");

        mesh.send(merge(1, "cookie-1", "ana", 3, PersonMerge.UNDONE, 4));
        eventually(() -> assertThat(users()).containsExactly(2L, 0L));
        assertThat(overview("users")).isEqualTo(4);
        assertThat(get(client, "/api/v1/users/ana/events").path("items")).hasSize(1);
    }

    private List<Long> users() {
        return post(client, 200, "/api/v1/analytics/funnel", FUNNEL)
                .path("steps")
                .valueStream()
                .map(s -> s.path("users").asLong())
                .toList();
    }

    /** Of the second of November; {@code users} of both days. */
    private long overview(String figure) {
        var from = figure.equals("users") ? "2026-11-01" : "2026-11-02";
        return get(
                        client,
                        "/api/v1/analytics/overview?start_time=%sT00:00:00Z&end_time=2026-11-03T00:00:00Z"
                                .formatted(from))
                .path(figure)
                .path("value")
                .asLong();
    }

    private CleanEvent event(
            String id, String type, long person, String anonymous, String user, String at) {
        return new CleanEvent(
                tenant,
                id,
                type,
                "web",
                user,
                anonymous,
                null,
                Instant.parse(at),
                Instant.parse("2026-11-20T12:00:00Z"),
                person,
                Json.mapper().readTree("{\"amount\":\"1.00\"}"),
                Json.mapper().readTree("{}"),
                Json.mapper().readTree("{}"));
    }

    private Outgoing numbered(long person, String id) {
        return identity(
                PersonNumbered.TYPE,
                Keys.of(tenant, "anonymous", id),
                new PersonNumbered(tenant, "anonymous", id, person, Instant.EPOCH));
    }

    private Outgoing merge(
            long person, String id, String user, long userNo, String state, long revision) {
        var mergeId = person + "-" + userNo;
        return identity(
                PersonMerge.TYPE,
                Keys.of(tenant, "merge", mergeId),
                new PersonMerge(
                        tenant,
                        mergeId,
                        state,
                        state.equals(PersonMerge.REFUSED) ? "two_known_people" : null,
                        "identify",
                        "anonymous",
                        id,
                        person,
                        user,
                        userNo,
                        "e",
                        Instant.EPOCH,
                        Instant.EPOCH,
                        null,
                        null,
                        revision));
    }

    private Outgoing identity(String type, byte[] key, Object value) {
        return new Outgoing(
                Topics.IDENTITIES.name(),
                null,
                key,
                Json.mapper().writeValueAsBytes(value),
                Map.of(CloudHeaders.TYPE, type, CloudHeaders.TENANT, tenant));
    }
}
