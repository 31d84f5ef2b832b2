package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.Topics;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.ingestion.RejectedEvent;
import io.mirante.etl.RawRecords;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Position;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** A raw topic that was made anew has the positions of the old one again, and other records at them. */
@MeshTest
class RecreatedTopicIT {

    private static final Duration SOON = Duration.ofMinutes(2);
    private static final Instant BEFORE = Instant.parse("2026-11-20T10:00:00.123456Z");
    private static final Instant AFTER = BEFORE.plus(Duration.ofHours(1));

    @Autowired Mesh mesh;
    @Autowired StoreEvents events;
    @Autowired StreamDatabase stream;
    @Autowired MeterRegistry meters;

    private String tenant;
    private CanonicalEvent ana;
    private CanonicalEvent ben;

    @BeforeEach
    void aTopicWithTwoEventsAndTheFirstAgain() throws Exception {
        tenant = mesh.newTenant();
        ana = RawRecords.pageView("ana", BEFORE);
        ben = RawRecords.pageView("ben", BEFORE);
        store(List.of(at(7, ana, BEFORE), at(8, ben, BEFORE), at(9, ana, BEFORE)));
        assertThat(count("analytics_event", "TRUE")).isEqualTo(2);
        assertThat(count("analytics_event_meta", "status = 'duplicate'")).isEqualTo(1);
    }

    @Test
    void whatIsSentAgainIsADuplicateAlsoAtTheSamePlace() throws Exception {
        var again = List.of(at(7, ana, AFTER), at(8, ana, AFTER), at(9, ana, AFTER));
        assertThat(store(again)).as("published").isEmpty();
        assertThat(count("analytics_event", "TRUE")).isEqualTo(2);
        assertThat(count("analytics_event_meta", "status = 'duplicate'")).isEqualTo(4);

        store(again);
        assertThat(count("analytics_event_meta", "TRUE")).as("redelivered").isEqualTo(4);
    }

    @Test
    void anotherContentIsAConflictOfItsOwnAlsoAtTheSamePlace() throws Exception {
        var other = ben.withData(RawRecords.json("{\"url\":\"/other\"}"));
        var first = rejections(store(List.of(at(10, other, BEFORE))));
        var second = rejections(store(List.of(at(8, other, AFTER), at(10, other, AFTER))));
        assertThat(second).hasSize(2).doesNotContainAnyElementsOf(first);
        assertThat(count("analytics_event_meta", "status = 'conflict'")).isEqualTo(3);
        assertThat(rejections(store(List.of(at(8, other, AFTER)))))
                .as("redelivered")
                .containsExactly(second.getFirst());
        assertThat(count("analytics_event", "TRUE")).isEqualTo(2);
    }

    @Test
    void aRecordThatIsReadAgainIsStillTheSame() throws Exception {
        assertThat(store(List.of(at(7, ana, BEFORE), at(8, ben, BEFORE))))
                .filteredOn(sent -> sent.topic().equals(Topics.EVENTS_CLEAN.name()))
                .hasSize(2);
        assertThat(count("analytics_event_meta", "TRUE")).isEqualTo(1);
    }

    private Received<RawEvent> at(long offset, CanonicalEvent event, Instant receivedAt) {
        return new Received<>(
                new RawEvent(tenant, event.contentHash(), receivedAt, "/http", event, event, null),
                new Position(Topics.EVENTS_RAW.name(), 3, offset),
                null,
                receivedAt,
                null);
    }

    /** As its consumer does, who counts what it received: what became of records is compared with that elsewhere. */
    private List<Outgoing> store(List<Received<RawEvent>> poll) {
        meters.counter("mirante.records.received", "consumer", "storeRawEvents")
                .increment(poll.size());
        return Objects.requireNonNull(
                        stream.inTransaction(db -> events.store(poll, db)).block(SOON))
                .get();
    }

    private static List<String> rejections(List<Outgoing> sent) {
        return sent.stream()
                .filter(record -> record.topic().equals(Topics.EVENTS_REJECTED.name()))
                .map(record ->
                        Json.mapper().readValue(record.value(), RejectedEvent.class).rejectionId())
                .toList();
    }

    private long count(String table, String condition) throws SQLException {
        try (var connection = mesh.jdbc();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM %s WHERE tenant_id = ? AND %s"
                                        .formatted(table, condition))) {
            query.setString(1, tenant);
            var rows = query.executeQuery();
            rows.next();
            return rows.getLong(1);
        }
    }
}
