package io.mirante.etl.log;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.events.Reason;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.mirante.etl.log.SortedPoll.Verdict;
import io.mirante.platform.messaging.DeadRecord;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Position;
import io.r2dbc.spi.Readable;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Table {@code analytics_event_meta}: a row per record that is no event of the log, and why. What a record held and the words of
 * its failure stand in its dead letter alone: nothing here names a person. A record is told by its position and the time of its
 * receipt, because a topic that was made anew has the same positions again. Written in the poll's transaction. Thread-safe.
 */
@Component
final class EventMeta {

    /** The status of a record that could not be processed. */
    static final String FAILED = "failed";

    /** Whose records are that name no tenant: nobody is called so, and nobody sees them. */
    static final String NO_TENANT = "?";

    private record Row(
            String tenant,
            Position position,
            @Nullable String eventId,
            String status,
            @Nullable String error,
            int retries,
            Instant receivedAt) {}

    /** Notes repetitions, each record once; answers the positions that were new. */
    Mono<Set<Position>> repeated(List<Sorted> repeats, Duration took, DatabaseClient db) {
        return insert(repeats.stream().map(EventMeta::repeated).toList(), took, db);
    }

    /** Notes records that are passed over as dead, each once. */
    Mono<Void> passedOver(List<DeadRecord> dead, DatabaseClient db) {
        var longest = dead.stream().map(DeadRecord::took).max(Duration::compareTo);
        return insert(
                        dead.stream().map(EventMeta::failed).toList(),
                        longest.orElse(Duration.ZERO),
                        db)
                .then();
    }

    private static Row repeated(Sorted sorted) {
        return new Row(
                sorted.event().tenantId(),
                sorted.received().position(),
                sorted.event().event().eventId(),
                sorted.verdict().name().toLowerCase(Locale.ROOT),
                sorted.verdict() == Verdict.CONFLICT ? Reason.CONFLICT.wireName() : null,
                0,
                sorted.event().receivedAt());
    }

    /** By the time of Kafka: what the headers say was not checked. */
    private static Row failed(DeadRecord dead) {
        return new Row(
                Objects.requireNonNullElse(id(dead.headers(), CloudHeaders.TENANT), NO_TENANT),
                dead.position(),
                id(dead.headers(), CloudHeaders.ID),
                FAILED,
                dead.reason(),
                dead.retries(),
                dead.timestamp());
    }

    private static @Nullable String id(Headers headers, String name) {
        var given = headers.get(name);
        return given == null
                        || given.isEmpty()
                        || given.length() > RawEvents.MAX_ID
                        || StorableText.fault(given) != null
                ? null
                : given;
    }

    private static Mono<Set<Position>> insert(List<Row> rows, Duration took, DatabaseClient db) {
        if (rows.isEmpty()) {
            return Mono.just(Set.of());
        }
        return db.sql(
                        """
                        INSERT INTO analytics_event_meta
                            (tenant_id, topic, partition_no, record_offset, event_id, status, error, retries,
                             received_at, processing_time_ms)
                        SELECT *, $10::float8 FROM UNNEST($1::text[], $2::text[], $3::int[], $4::bigint[], $5::text[],
                            $6::text[], $7::text[], $8::int[], $9::timestamptz[])
                        ON CONFLICT DO NOTHING
                        RETURNING topic, partition_no, record_offset\
                        """)
                .bind(0, texts(rows, Row::tenant))
                .bind(1, texts(rows, row -> row.position().topic()))
                .bind(
                        2,
                        rows.stream()
                                .map(row -> row.position().partition())
                                .toArray(Integer[]::new))
                .bind(3, rows.stream().map(row -> row.position().offset()).toArray(Long[]::new))
                .bind(4, texts(rows, Row::eventId))
                .bind(5, texts(rows, Row::status))
                .bind(6, texts(rows, Row::error))
                .bind(7, rows.stream().map(Row::retries).toArray(Integer[]::new))
                .bind(8, rows.stream().map(Row::receivedAt).toArray(Instant[]::new))
                .bind(9, took.toNanos() / 1e6)
                .map(EventMeta::position)
                .all()
                .collect(Collectors.toCollection(HashSet::new))
                .map(Collections::unmodifiableSet);
    }

    static Position position(Readable row) {
        return new Position(
                Objects.requireNonNull(row.get(0, String.class)),
                Objects.requireNonNull(row.get(1, Integer.class)),
                Objects.requireNonNull(row.get(2, Long.class)));
    }

    private static @Nullable String[] texts(
            List<Row> rows, Function<Row, @Nullable String> column) {
        return rows.stream().map(column).toArray(String[]::new);
    }
}
