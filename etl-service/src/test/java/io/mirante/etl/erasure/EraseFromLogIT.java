package io.mirante.etl.erasure;

import static io.mirante.etl.RawRecords.pageView;
import static io.mirante.etl.RawRecords.purchase;
import static io.mirante.etl.RawRecords.raw;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class EraseFromLogIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");

    @Autowired private Mesh mesh;

    @Test
    void theRowsStayUnderANumberThatLeadsNowhere() throws Exception {
        var tenant = mesh.newTenant();
        var user = "erase-me";
        var resent = raw(tenant, purchase(user, AT, "12.50"));
        mesh.send(raw(tenant, withIds(pageView(user, AT), user, "visitor-9")));
        mesh.send(raw(tenant, withIds(pageView(user, AT), null, "visitor-9")));
        mesh.send(resent);
        mesh.send(raw(tenant, pageView("stays", AT)));
        awaitEvents(tenant, 4);
        await().atMost(SOON)
                .until(() ->
                        number("SELECT count(*) FROM person WHERE tenant_id = ?", tenant) == 3);

        PersonErased answer;
        try (var holder = mesh.jdbc();
                var statement = holder.createStatement()) {
            // Nobody collects marks for now.
            statement.execute("SELECT pg_advisory_lock(hashtextextended('etl.user_mark', 0))");
            statement.execute(
                    "INSERT INTO user_mark VALUES ('%s', '%s', 1, now())".formatted(tenant, user));
            answer = mesh.erase(tenant, user);
        }

        assertThat(answer.service()).isEqualTo("etl");
        assertThat(answer.personNos()).hasSize(2).doesNotHaveDuplicates();
        assertThat(answer.removed())
                .contains(
                        new Removal("analytics_event", Removal.BLANKED, 3),
                        new Removal("person", Removal.DELETED, 2));
        assertThat(naming(tenant, user)).isEmpty();
        assertThat(naming(tenant, "visitor-9")).isEmpty();
        assertThat(naming(tenant, "stays")).isNotEmpty();
        assertThat(number("SELECT count(*) FROM analytics_event WHERE tenant_id = ?", tenant))
                .isEqualTo(4);
        assertThat(
                        number(
                                "SELECT count(DISTINCT person_no) FROM analytics_event WHERE tenant_id = ?",
                                tenant))
                .isEqualTo(3);
        assertThat(
                        number(
                                "SELECT (sum(amount) * 100)::bigint FROM analytics_event WHERE tenant_id = ?",
                                tenant))
                .isEqualTo(1250);
        assertThat(newest(Topics.IDENTITIES.name(), Keys.of(tenant, "user", user)).value())
                .isNull();
        assertThat(
                        newest(Topics.IDENTITIES.name(), Keys.of(tenant, "anonymous", "visitor-9"))
                                .value())
                .isNull();

        // The client sends one again, one was still on its way, and then the person comes anew.
        mesh.send(resent);
        mesh.send(received(raw(tenant, pageView(user, AT)), answer.erasedAt().minusSeconds(1)));
        awaitEvents(tenant, 5);
        assertThat(naming(tenant, user)).isEmpty();
        mesh.send(raw(tenant, pageView(user, AT)));
        awaitEvents(tenant, 6);
        assertThat(
                        number(
                                "SELECT person_no FROM person WHERE kind = 'user' AND id = 'erase-me' AND tenant_id = ?",
                                tenant))
                .isGreaterThan(3);
        var clean =
                mesh.read(Topics.EVENTS_CLEAN.name()).stream()
                        .filter(r -> tenant.equals(header(r)))
                        .map(r -> Json.mapper().readValue(r.value(), CleanEvent.class))
                        .toList();
        assertThat(clean.stream().filter(e -> user.equals(e.userId())).map(CleanEvent::personNo))
                .hasSize(3)
                .filteredOn(no -> !answer.personNos().contains(no))
                .hasSize(1);
    }

    @Test
    void whoWasNeverSeenIsAnsweredWithNothing() {
        var answer = mesh.erase(mesh.newTenant(), "nobody");
        assertThat(answer.removed())
                .containsExactly(new Removal(Topics.FEATURES_USER.name(), Removal.TOMBSTONE, 1));
        assertThat(answer.personNos()).isEmpty();
    }

    private static CanonicalEvent withIds(CanonicalEvent event, String user, String anonymous) {
        return new CanonicalEvent(
                event.eventId(),
                event.eventType(),
                event.module(),
                user,
                anonymous,
                "session-of-" + anonymous,
                event.occurredAt(),
                event.timestampAsGiven(),
                false,
                1,
                event.data(),
                event.metadata(),
                event.context());
    }

    private static Outgoing received(Outgoing record, Instant at) {
        var headers = new HashMap<>(record.headers());
        headers.put(CloudHeaders.RECEIVED_AT, at.toString());
        return new Outgoing(
                record.topic(), record.partition(), record.key(), record.value(), headers);
    }

    private void awaitEvents(String tenant, long count) {
        await().atMost(SOON)
                .until(() ->
                        number("SELECT count(*) FROM analytics_event WHERE tenant_id = ?", tenant)
                                == count);
    }

    private ConsumerRecord<byte[], byte[]> newest(String topic, byte[] key) {
        return mesh.read(topic).stream()
                .filter(r -> Arrays.equals(r.key(), key))
                .reduce((a, b) -> b)
                .orElseThrow();
    }

    private static String header(ConsumerRecord<byte[], byte[]> record) {
        var header = record.headers().lastHeader(CloudHeaders.TENANT);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }

    private List<String> naming(String tenant, String id) throws SQLException {
        var found = new ArrayList<String>();
        for (var table :
                List.of(
                        "analytics_event",
                        "person",
                        "user_mark",
                        "user_feature_state",
                        "user_feature_values")) {
            try (var connection = mesh.jdbc();
                    var query =
                            connection.prepareStatement(
                                    "SELECT t::text FROM "
                                            + table
                                            + " t WHERE tenant_id = ? AND t::text LIKE ?")) {
                query.setString(1, tenant);
                query.setString(2, "%" + id + "%");
                var rows = query.executeQuery();
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
            }
        }
        return found;
    }

    private long number(String sql, String tenant) throws SQLException {
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement(sql)) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }
}
