package io.mirante.etl.log;

import static io.mirante.etl.RawRecords.alias;
import static io.mirante.etl.RawRecords.event;
import static io.mirante.etl.RawRecords.identify;
import static io.mirante.etl.RawRecords.pageView;
import static io.mirante.etl.RawRecords.raw;
import static io.mirante.etl.RawRecords.visit;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.etl.features.FeatureQuery;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Position;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@MeshTest
class PersonMergesIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");

    private static final AtomicLong OFFSETS = new AtomicLong();

    @Autowired Mesh mesh;
    @Autowired StoreEvents handler;
    @Autowired StreamDatabase stream;
    @Autowired BlockedIds blocked;
    @Autowired MeterRegistry meters;

    @Test
    void whoeverIdentifiesIsOnePersonWithWhatTheyDidBeforeAndDoLaterUntilThatIsUndone()
            throws Exception {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                List.of(
                        raw(tenant, visit("cookie", AT)),
                        raw(tenant, visit("cookie", AT.plusSeconds(1))),
                        raw(tenant, identify("ana", "cookie", AT.plusSeconds(2)))));
        awaitEvents(tenant, "ana", 3);

        // what comes later, and late, from the other partition
        mesh.send(raw(tenant, visit("cookie", AT.minusSeconds(60))));
        awaitEvents(tenant, "ana", 4);

        var shown = identities(tenant, "ana");
        assertThat(ids(shown)).containsExactly("user ana", "anonymous cookie");
        var merge = shown.path("merges").get(0);
        assertThat(merge.path("state").asString()).isEqualTo("merged");
        assertThat(merge.path("rule").asString()).isEqualTo("identify");
        assertThat(merge.path("id").asString()).isEqualTo("cookie");
        assertThat(Instant.parse(merge.path("occurred_at").asString()))
                .isEqualTo(AT.plusSeconds(2));
        await().atMost(SOON).until(() -> told(tenant).size() == 1);
        var told = told(tenant).getFirst();
        assertThat(told.state()).isEqualTo("merged");
        assertThat(told.userId()).isEqualTo("ana");
        // events keep the number of their own id
        assertThat(clean(tenant).stream().map(CleanEvent::personNo).distinct()).hasSize(2);

        var undo =
                "/api/v1/users/ana/identities/%s/undo".formatted(merge.path("merge_id").asString());
        mesh.client(tenant, "analytics.manage")
                .post()
                .uri(undo)
                .exchange()
                .expectStatus()
                .isForbidden();
        mesh.client(mesh.newTenant()).post().uri(undo).exchange().expectStatus().isNotFound();
        for (int i = 0; i < 2; i++) {
            mesh.client(tenant)
                    .post()
                    .uri(undo)
                    .exchange()
                    .expectStatus()
                    .isOk()
                    .expectBody()
                    .jsonPath("$.state")
                    .isEqualTo("undone")
                    .jsonPath("$.undone_by")
                    .isNotEmpty();
        }
        awaitEvents(tenant, "ana", 1);
        await().atMost(SOON).until(() -> told(tenant).size() == 2);
        assertThat(told(tenant))
                .extracting(PersonMerge::state, PersonMerge::revision)
                .containsExactly(tuple("merged", 1L), tuple("undone", 2L));

        // said again, they stay apart
        mesh.send(raw(tenant, identify("ana", "cookie", AT.plusSeconds(70))));
        awaitEvents(tenant, "ana", 2);
        assertThat(ids(identities(tenant, "ana"))).containsExactly("user ana");
        assertThat(states(tenant)).containsExactly("cookie ana undone");
    }

    @Test
    void theQueryOfAPastMomentKnowsOnlyMergesThatHadOccurred() throws Exception {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                List.of(
                        raw(tenant, visit("cookie", AT)),
                        raw(tenant, pageView("ana", AT)),
                        raw(tenant, identify("ana", "cookie", AT.plusSeconds(10)))));
        awaitEvents(tenant, "ana", 3);
        assertThat(eventsOf(tenant, "ana", AT.plusSeconds(5))).isEqualTo(1);
        assertThat(eventsOf(tenant, "ana", AT.plusSeconds(11))).isEqualTo(3);
    }

    @Test
    void twoKnownPeopleAreNeverMergedWhicheverComesFirst() throws Exception {
        var tenant = mesh.newTenant();
        // an old id that is known before the alias, and one that turns up after it
        send(tenant, pageView("old", AT));
        send(tenant, alias("new", "old", AT.plusSeconds(1)));
        send(tenant, alias("neo", "later", AT.plusSeconds(2)));
        send(tenant, pageView("later", AT.plusSeconds(3)));
        // one browser, two people
        send(tenant, identify("ana", "kiosk", AT.plusSeconds(4)));
        send(tenant, identify("bob", "kiosk", AT.plusSeconds(5)));
        assertThat(states(tenant))
                .containsExactly(
                        "kiosk ana merged",
                        "kiosk bob refused two_known_people",
                        "later neo merged",
                        "later neo refused two_known_people",
                        "old new merged",
                        "old new refused two_known_people");
        for (var user : List.of("old", "new", "later", "neo", "ana", "bob")) {
            awaitEvents(tenant, user, 1);
        }

        var bob = identities(tenant, "bob");
        assertThat(ids(bob)).containsExactly("user bob");
        var refused = bob.path("merges").get(0);
        assertThat(refused.path("reason").asString()).isEqualTo("two_known_people");
        mesh.client(tenant)
                .post()
                .uri("/api/v1/users/bob/identities/{id}/undo", refused.path("merge_id").asString())
                .exchange()
                .expectStatus()
                .isEqualTo(409);
        // the old id's own view tells of it too
        assertThat(identities(tenant, "old").path("merges").get(0).path("state").asString())
                .isEqualTo("refused");
    }

    @Test
    void anIdOfNobodyIsNoPersonAndMergesNobody() throws Exception {
        var tenant = mesh.newTenant();
        mesh.sendAll(
                List.of(
                        raw(tenant, pageView("null", AT)),
                        raw(tenant, identify("undefined", "cookie", AT)),
                        raw(tenant, identify("ana", "anonymous", AT)),
                        raw(tenant, identify("bob", "anonymous", AT)),
                        raw(tenant, alias("ana", "0", AT))));
        await().atMost(SOON).until(() -> clean(tenant).size() == 5);
        assertThat(states(tenant)).isEmpty();
        assertThat(
                        strings(
                                "SELECT kind || ' ' || id FROM person WHERE tenant_id = ? ORDER BY 1",
                                tenant))
                .containsExactly("anonymous cookie", "user ana", "user bob");
        assertThat(clean(tenant))
                .extracting(CleanEvent::userId, CleanEvent::anonymousId)
                .containsExactlyInAnyOrder(
                        tuple(null, null),
                        tuple(null, "cookie"),
                        tuple("ana", null),
                        tuple("bob", null),
                        tuple("ana", null));
        assertThat(
                        strings(
                                "SELECT payload ->> 'user_id_as_given' AS given FROM analytics_event WHERE tenant_id = ?"
                                        + " AND payload ->> 'user_id_as_given' IS NOT NULL ORDER BY given",
                                tenant))
                .containsExactly("null", "undefined");
    }

    @Test
    void theOrderInsideAPollAndItsRedeliveryDoNotChangeWhoIsWho() throws Exception {
        long seed = System.nanoTime();
        var random = new Random(seed);
        var events = new ArrayList<CanonicalEvent>();
        for (int i = 0; i < 60; i++) {
            var at = AT.plusSeconds(random.nextInt(30));
            var user = "u" + random.nextInt(5);
            var visitor = "v" + random.nextInt(8);
            events.add(
                    switch (random.nextInt(4)) {
                        case 0 -> visit(visitor, at);
                        case 1 ->
                                alias(
                                        user,
                                        random.nextBoolean() ? visitor : "u" + random.nextInt(7),
                                        at);
                        default -> identify(user, visitor, at);
                    });
        }
        var first = mesh.newTenant();
        var poll = poll(first, events);
        var sent = store(poll);
        var ledger = states(first);
        assertThat(ledger).isNotEmpty();

        var numbers =
                strings(
                        "SELECT kind || id || person_no FROM person WHERE tenant_id = ? ORDER BY 1",
                        first);
        assertThat(
                        store(poll).stream()
                                .filter(o -> clean(o))
                                .map(o -> new String(value(o), StandardCharsets.UTF_8)))
                .as("redelivered, seed " + seed)
                .containsExactlyElementsOf(
                        sent.stream()
                                .filter(o -> clean(o))
                                .map(o -> new String(value(o), StandardCharsets.UTF_8))
                                .toList());
        assertThat(states(first)).as("redelivered, seed " + seed).isEqualTo(ledger);
        assertThat(
                        strings(
                                "SELECT kind || id || person_no FROM person WHERE tenant_id = ? ORDER BY 1",
                                first))
                .isEqualTo(numbers);

        for (int i = 0; i < 3; i++) {
            Collections.shuffle(events, random);
            var other = mesh.newTenant();
            store(poll(other, events));
            assertThat(states(other)).as("shuffled, seed " + seed).isEqualTo(ledger);
        }
    }

    @Test
    void aVisitorClaimedByManyAtOnceGoesByOne() throws Exception {
        var tenant = mesh.newTenant();
        var records = new ArrayList<Outgoing>();
        for (int i = 0; i < 120; i++) {
            records.add(
                    raw(
                            tenant,
                            identify("u" + i % 24, "v" + i % 5, AT.plusSeconds(i)),
                            Topics.EVENTS_RAW.name(),
                            i % 12));
        }
        mesh.sendAll(records);
        await().atMost(SOON).until(() -> clean(tenant).size() == 120);
        assertThat(
                        strings(
                                "SELECT id FROM person_merge WHERE tenant_id = ? AND state = 'merged' ORDER BY id",
                                tenant))
                .containsExactly("v0", "v1", "v2", "v3", "v4");
        assertThat(
                        strings(
                                "SELECT id FROM person_merge WHERE tenant_id = ? AND state = 'refused'",
                                tenant))
                .hasSize(115);
    }

    @Test
    void aUserWithMoreVisitorsThanAPersonHasIsLimited() throws Exception {
        var tenant = mesh.newTenant();
        var events = new ArrayList<CanonicalEvent>();
        for (int i = 0; i < 25; i++) {
            events.add(identify("till", "v" + i, AT.plusSeconds(i)));
        }
        store(poll(tenant, events));
        store(
                poll(
                        tenant,
                        List.of(
                                identify("till", "late", AT.plusSeconds(60)),
                                identify("till", "next", AT.plusSeconds(3_700)))));
        assertThat(
                        strings(
                                "SELECT id FROM person_merge WHERE tenant_id = ? AND reason = 'too_many_ids' ORDER BY id",
                                tenant))
                .containsExactly("late", "v20", "v21", "v22", "v23", "v24");
    }

    private void send(String tenant, CanonicalEvent event) throws Exception {
        int before = clean(tenant).size();
        mesh.send(raw(tenant, event));
        await().atMost(SOON).until(() -> clean(tenant).size() == before + 1);
    }

    private List<Received<RawEvent>> poll(String tenant, List<CanonicalEvent> events) {
        var parser = new RawEvents(blocked);
        var poll = new ArrayList<Received<RawEvent>>();
        for (var event : events) {
            poll.add(
                    new Received<>(
                            new RawEvent(
                                    tenant,
                                    event.contentHash(),
                                    AT,
                                    "/http",
                                    event,
                                    event,
                                    parser.visitor(tenant, event)),
                            new Position("elsewhere-" + tenant, 0, OFFSETS.incrementAndGet()),
                            null,
                            AT,
                            null));
        }
        return poll;
    }

    /** As the runner does, whose count of what it received must agree with what became of it. */
    private List<Outgoing> store(List<Received<RawEvent>> poll) {
        meters.counter("mirante.records.received", "consumer", "storeRawEvents")
                .increment(poll.size());
        return Objects.requireNonNull(
                        stream.inTransaction(db -> handler.store(poll, db)).block(SOON))
                .get();
    }

    private static boolean clean(Outgoing outgoing) {
        return outgoing.topic().equals(Topics.EVENTS_CLEAN.name());
    }

    private static byte[] value(Outgoing outgoing) {
        return Objects.requireNonNull(outgoing.value());
    }

    private void awaitEvents(String tenant, String user, long events) {
        await().atMost(SOON)
                .until(() -> {
                    var body =
                            mesh.client(tenant)
                                    .get()
                                    .uri("/api/v1/features/" + user)
                                    .exchange()
                                    .expectBody(byte[].class)
                                    .returnResult()
                                    .getResponseBody();
                    return Json.mapper()
                                    .readTree(Objects.requireNonNull(body))
                                    .path("features")
                                    .path("events_total")
                                    .asDouble(-1)
                            == events;
                });
    }

    private JsonNode identities(String tenant, String user) {
        var body =
                mesh.client(tenant)
                        .get()
                        .uri("/api/v1/users/" + user + "/identities")
                        .exchange()
                        .expectStatus()
                        .isOk()
                        .expectBody(byte[].class)
                        .returnResult()
                        .getResponseBody();
        return Json.mapper().readTree(Objects.requireNonNull(body));
    }

    private static List<String> ids(JsonNode identities) {
        var ids = new ArrayList<String>();
        identities
                .path("identities")
                .forEach(i -> ids.add(i.path("kind").asString() + " " + i.path("id").asString()));
        return ids;
    }

    /** {@code id user state [reason]} of each row. */
    private List<String> states(String tenant) throws SQLException {
        return strings(
                "SELECT concat_ws(' ', id, user_id, state, reason) FROM person_merge WHERE tenant_id = ? ORDER BY 1",
                tenant);
    }

    private List<CleanEvent> clean(String tenant) {
        return mesh.read(Topics.EVENTS_CLEAN.name()).stream()
                .filter(r -> tenant.equals(header(r, CloudHeaders.TENANT)))
                .map(r -> Json.mapper().readValue(r.value(), CleanEvent.class))
                .toList();
    }

    private List<PersonMerge> told(String tenant) {
        Map<Long, PersonMerge> told = new TreeMap<>();
        mesh.read(Topics.IDENTITIES.name()).stream()
                .filter(r ->
                        tenant.equals(header(r, CloudHeaders.TENANT))
                                && PersonMerge.TYPE.equals(header(r, CloudHeaders.TYPE)))
                .map(r -> Json.mapper().readValue(r.value(), PersonMerge.class))
                .forEach(m -> told.put(m.revision(), m));
        return List.copyOf(told.values());
    }

    private static String header(
            org.apache.kafka.clients.consumer.ConsumerRecord<byte[], byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }

    private double eventsOf(String tenant, String user, Instant asOf) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "WITH p AS (SELECT ?::text AS tenant, ?::timestamptz AS as_of) SELECT f.user_id,"
                                        + " f.events_total FROM ("
                                        + FeatureQuery.sql(
                                                "(SELECT tenant FROM p)",
                                                "(SELECT as_of FROM p)",
                                                "'USD'",
                                                null)
                                        + ") f")) {
            query.setString(1, tenant);
            query.setTimestamp(2, Timestamp.from(asOf));
            var rows = query.executeQuery();
            Map<String, Double> events = new HashMap<>();
            while (rows.next()) {
                events.put(rows.getString(1), rows.getDouble(2));
            }
            return Objects.requireNonNull(events.get(user));
        }
    }

    private List<String> strings(String sql, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement(sql)) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            var result = new ArrayList<String>();
            while (rows.next()) {
                result.add(rows.getString(1));
            }
            return result;
        }
    }
}
