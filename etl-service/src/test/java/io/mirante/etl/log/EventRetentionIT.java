package io.mirante.etl.log;

import static io.mirante.etl.RawRecords.pageView;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.gateway.Retention;
import io.mirante.contracts.snapshot.LakeCovered;
import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.persistence.TenantDatabase;
import io.mirante.platform.tenants.Tenants;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

@MeshTest
class EventRetentionIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant NOW = Instant.now();

    @Autowired Mesh mesh;
    @Autowired StreamDatabase stream;
    @Autowired TenantDatabase database;
    @Autowired Tenants tenants;
    @Autowired MeterRegistry meters;
    @Autowired EventPartitions partitions;
    @Autowired LakeCoverage lake;

    @Test
    void eventsGoAfterNinetyDaysFromReceiptWithTheirIdentitiesAndAResendIsANewEvent()
            throws Exception {
        var tenant = mesh.newTenant();
        // when it happened does not matter
        var old = pageView("ana", NOW);
        var young = pageView("ana", NOW.minus(Duration.ofDays(1_000)));
        receive(tenant, old, 91);
        receive(tenant, young, 89);
        awaitRows(tenant, "analytics_event", 2);
        receive(tenant, old, 91);
        receive(tenant, young, 89);
        awaitRows(tenant, "analytics_event_meta", 2);
        covered(tenant, NOW);

        retention(Clock.systemUTC()).turn();
        assertThat(ids(tenant)).containsExactly(young.eventId());
        assertThat(rows(tenant, "event_identity")).isEqualTo(1);
        assertThat(rows(tenant, "analytics_event_meta")).isEqualTo(1);
        assertThat(rows(tenant, "person")).as("keep their numbers").isEqualTo(1);
        mesh.client(tenant)
                .get()
                .uri("/api/v1/etl/events/{id}/trace", old.eventId())
                .exchange()
                .expectStatus()
                .isNotFound();

        receive(tenant, old, 0);
        receive(tenant, young, 0);
        awaitRows(tenant, "analytics_event_meta", 2);
        assertThat(ids(tenant))
                .as("one is new again, the other a duplicate still")
                .containsExactlyInAnyOrder(old.eventId(), young.eventId());
        await().atMost(SOON).until(() -> cleanOf(tenant) == 3);
    }

    @Test
    void eachTenantsEventsGoByItsOwnPeriodsPerKindAndModule() throws Exception {
        var one = mesh.newTenant();
        var other = mesh.newTenant();
        mesh.settings(
                one,
                """
                {"retention": {"raw_events": "P30D", "csat": "P60D", "modules": {"web": "P10D", "fan": "P1Y"}}}\
                """);
        for (var tenant : List.of(one, other)) {
            for (int days : new int[] {5, 20, 40, 70, 80}) {
                receive(tenant, event(days, "page_view", "web"), days);
                receive(tenant, event(days, "purchase", "commerce"), days);
                receive(tenant, event(days, "fan.joined", "fan"), days);
                receive(tenant, event(days, "csat.submitted", "tickets"), days);
            }
        }
        awaitRows(one, "analytics_event", 20);
        awaitRows(other, "analytics_event", 20);
        covered(one, NOW);
        covered(other, NOW);
        retention(Clock.systemUTC()).turn();
        assertThat(ids(one))
                .containsExactlyInAnyOrder(
                        "page_view-5",
                        "purchase-5",
                        "purchase-20",
                        "fan.joined-5",
                        "fan.joined-20",
                        "fan.joined-40",
                        "fan.joined-70",
                        "fan.joined-80",
                        "csat.submitted-5",
                        "csat.submitted-20",
                        "csat.submitted-40");
        assertThat(rows(one, "event_identity")).isEqualTo(11);
        assertThat(rows(other, "analytics_event")).as("another tenant's").isEqualTo(20);
        assertThat(rows(other, "event_identity")).isEqualTo(20);

        var same = retention(Clock.systemUTC());
        same.turn();
        mesh.settings(
                one, "{\"retention\": {\"raw_events\": \"P10D\", \"modules\": {\"fan\": null}}}");
        same.turn();
        assertThat(ids(one))
                .as("shorter periods count at once, for what a rule more general holds now too")
                .containsExactlyInAnyOrder(
                        "page_view-5",
                        "purchase-5",
                        "fan.joined-5",
                        "csat.submitted-5",
                        "csat.submitted-20",
                        "csat.submitted-40");
    }

    @Test
    void whatTheLakeDoesNotHoldStays() throws Exception {
        var tenant = mesh.newTenant();
        for (int days : new int[] {89, 91, 95, 100, 110}) {
            receive(tenant, event(days, "page_view", "web"), days);
        }
        awaitRows(tenant, "analytics_event", 5);
        receive(tenant, event(110, "page_view", "web"), 110);
        awaitRows(tenant, "analytics_event_meta", 1);
        execute(
                "INSERT INTO retention_time (reached) VALUES (now()) ON CONFLICT (only_row) DO UPDATE SET reached = now()");

        var retention = retention(Clock.systemUTC());
        retention.turn();
        assertThat(ids(tenant)).as("it has said nothing").hasSize(5);
        assertThat(rows(tenant, "event_identity")).isEqualTo(5);
        assertThat(rows(tenant, "analytics_event_meta")).as("is no event").isZero();
        assertThat(retention.uncovered()).isPositive();

        // Clocks may differ: what was received within two hours before may not be there yet.
        covered(tenant, received(100).plus(RetentionTime.TOLERANCE));
        retention.turn();
        assertThat(ids(tenant))
                .containsExactlyInAnyOrder(
                        "page_view-89", "page_view-91", "page_view-95", "page_view-100");
        covered(tenant, received(95).plus(Duration.ofDays(1)));
        retention.turn();
        assertThat(ids(tenant)).containsExactlyInAnyOrder("page_view-89", "page_view-91");

        // What it holds after all goes; and without it nobody waits.
        covered(tenant, NOW);
        retention.turn();
        assertThat(ids(tenant)).containsExactly("page_view-89");
        var without = mesh.newTenant();
        receive(without, event(91, "page_view", "web"), 91);
        awaitRows(without, "analytics_event", 1);
        retention.turn();
        assertThat(ids(without)).hasSize(1);
        retention(Clock.systemUTC(), false).turn();
        assertThat(ids(without)).isEmpty();
    }

    @Test
    void aClockThatIsYearsAheadRemovesNothingAndIsTold() throws Exception {
        var tenant = mesh.newTenant();
        receive(tenant, pageView("ana", NOW), 0);
        receive(tenant, pageView("ana", NOW), 89);
        awaitRows(tenant, "analytics_event", 2);
        var refused = meters.counter("mirante.etl.retention.refused");
        double before = refused.count();
        var ahead = Clock.fixed(Instant.now().plus(Duration.ofDays(3_650)), ZoneOffset.UTC);
        assertThatThrownBy(() -> retention(ahead).turn())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nothing is removed");
        assertThat(refused.count()).isEqualTo(before + 1);
        assertThat(rows(tenant, "analytics_event")).isEqualTo(2);

        retention(Clock.fixed(NOW.minus(Duration.ofMinutes(90)), ZoneOffset.UTC)).turn();
        assertThat(rows(tenant, "analytics_event")).as("a clock that is behind").isEqualTo(2);
    }

    @Test
    void severalReplicasMoveTimeOnNoFasterThanOne() throws Exception {
        var begin = Instant.now().minus(Duration.ofDays(10)).truncatedTo(ChronoUnit.MILLIS);
        execute(
                "INSERT INTO retention_time (reached) VALUES ('%1$s') ON CONFLICT (only_row) DO UPDATE SET reached = '%1$s'"
                        .formatted(begin));
        try {
            var hours = new AtomicLong();
            Supplier<RetentionTime> replica =
                    () ->
                            new RetentionTime(
                                    stream,
                                    Clock.systemUTC(),
                                    () -> Duration.ofHours(hours.get()).toNanos(),
                                    meters);
            var one = replica.get();
            var other = replica.get();
            assertThat(List.of(one.advance(), other.advance())).containsOnly(begin);
            for (int hour = 1; hour <= 3; hour++) {
                hours.set(hour);
                assertThat(List.of(one.advance(), other.advance()))
                        .containsOnly(begin.plus(Duration.ofHours(2 * hour)));
            }
            assertThat(replica.get().advance())
                    .as("one that comes later goes on from there")
                    .isEqualTo(begin.plus(Duration.ofHours(6)));
        } finally {
            execute("UPDATE retention_time SET reached = now()");
        }
    }

    /** More than a batch, of which every other row stays, and one replica at a time. */
    @Test
    void anotherReplicaAtItIsLeftAlone() throws Exception {
        var tenant = mesh.newTenant();
        covered(tenant, NOW);
        int many = 2 * EventRetention.BATCH + 1;
        execute(
                """
                INSERT INTO analytics_event (tenant_id, id, received_at, occurred_at, module, event_type, source,
                    schema_version, partition_key, payload)
                SELECT '%s', 'e' || i, now() - interval '91 days', now(), 'web',
                    CASE i %% 2 WHEN 0 THEN 'page_view' ELSE '%s' END, '', 1, '', '{}'
                FROM generate_series(1, %d) AS i\
                """
                        .formatted(tenant, Retention.CSAT, many));
        try (var replica = mesh.jdbc()) {
            replica.setAutoCommit(false);
            replica.createStatement()
                    .execute("SELECT pg_advisory_xact_lock(hashtextextended('etl.retention', 0))");
            retention(Clock.systemUTC()).turn();
            assertThat(rows(tenant, "analytics_event")).isEqualTo(many);
        }
        retention(Clock.systemUTC()).turn();
        assertThat(rows(tenant, "analytics_event")).isEqualTo(many / 2 + 1);
    }

    @Test
    void pastMonthsAreDroppedOnceTheyAreEmpty() throws Exception {
        var tenant = mesh.newTenant();
        for (int month = 1; month <= 2; month++) {
            execute(
                    """
                    CREATE TABLE IF NOT EXISTS analytics_event_2001_0%1$d PARTITION OF analytics_event
                    FOR VALUES FROM ('2001-0%1$d-01 00:00:00+00') TO ('2001-0%2$d-01 00:00:00+00')\
                    """
                            .formatted(month, month + 1));
        }
        execute(
                """
                INSERT INTO analytics_event (tenant_id, id, received_at, occurred_at, module, event_type, source,
                    schema_version, partition_key, payload)
                VALUES ('%s', 'e', '2001-02-10', now(), 'web', 'page_view', '', 1, '', '{}')\
                """
                        .formatted(tenant));
        await().atMost(SOON)
                .untilAsserted(() -> {
                    partitions.turn();
                    assertThat(months()).doesNotContain("analytics_event_2001_01");
                });
        assertThat(months())
                .contains(
                        "analytics_event_2001_02",
                        "analytics_event_"
                                + Instant.now().toString().substring(0, 7).replace('-', '_'));
        assertThat(rows(tenant, "analytics_event")).isEqualTo(1);
        covered(tenant, NOW);
        retention(Clock.systemUTC()).turn();
        await().atMost(SOON)
                .untilAsserted(() -> {
                    partitions.turn();
                    assertThat(months()).doesNotContain("analytics_event_2001_02");
                });
    }

    private EventRetention retention(Clock clock) {
        return retention(clock, true);
    }

    private EventRetention retention(Clock clock, boolean requiresLake) {
        return new EventRetention(stream, database, tenants, lake, requiresLake, clock, meters);
    }

    /** Says as the lake does that it holds what was received before. */
    private void covered(String tenant, Instant until) {
        mesh.send(
                new Outgoing(
                        Topics.LAKE.name(),
                        null,
                        Keys.of(tenant),
                        Json.mapper().writeValueAsBytes(new LakeCovered(tenant, until, 1)),
                        Map.of(CloudHeaders.TENANT, tenant)));
        await().atMost(SOON).until(() -> lake.of(tenant).equals(Optional.of(until)));
    }

    private static CanonicalEvent event(int days, String type, String module) {
        return RawRecords.event(type + "-" + days, type, module, "ana", NOW, "{}");
    }

    private void receive(String tenant, CanonicalEvent event, int daysAgo) {
        var headers = RawRecords.headers(tenant, event);
        headers.put(CloudHeaders.RECEIVED_AT, received(daysAgo).toString());
        mesh.send(
                new Outgoing(
                        Topics.EVENTS_RAW.name(),
                        9,
                        event.partitionKey(tenant).getBytes(StandardCharsets.UTF_8),
                        event.toJson(),
                        headers));
    }

    private static Instant received(int daysAgo) {
        return NOW.minus(Duration.ofDays(daysAgo)).truncatedTo(ChronoUnit.MICROS);
    }

    private void awaitRows(String tenant, String table, long count) {
        await().atMost(SOON).until(() -> rows(tenant, table) == count);
    }

    private long cleanOf(String tenant) {
        return mesh.read(Topics.EVENTS_CLEAN.name()).stream()
                .filter(r -> {
                    var header = r.headers().lastHeader(CloudHeaders.TENANT);
                    return header != null
                            && tenant.equals(new String(header.value(), StandardCharsets.UTF_8));
                })
                .count();
    }

    private long rows(String tenant, String table) throws SQLException {
        return texts("SELECT 'x' FROM " + table + " WHERE tenant_id = ?", tenant).size();
    }

    private List<String> ids(String tenant) throws SQLException {
        return texts("SELECT id FROM analytics_event WHERE tenant_id = ?", tenant);
    }

    private List<String> months() throws SQLException {
        return texts(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ?::regclass",
                "analytics_event");
    }

    private List<String> texts(String select, String parameter) throws SQLException {
        try (var connection = mesh.jdbc();
                var query = connection.prepareStatement(select)) {
            query.setString(1, parameter);
            var rows = query.executeQuery();
            var texts = new ArrayList<String>();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
            return texts;
        }
    }

    private void execute(String sql) throws SQLException {
        try (var connection = mesh.jdbc();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
