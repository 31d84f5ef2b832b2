package io.mirante.platform.messaging;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.platform.persistence.StreamDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Sends rows until their published revision is their revision. One replica at a time publishes a table (an advisory
 * lock), so that an older revision never overtakes a newer one. A crash between sending and marking sends again: readers
 * keep the highest revision. A row that no record can be made of is passed over until it changes again, so that it does not
 * keep the others, of all tenants, waiting; the log and {@code mirante.publication.unreadable} tell. Started to
 * accept recreated topics, it sends all state anew.
 */
final class StatePublisher implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(StatePublisher.class);
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int BATCH = 10_000;

    private final List<Publication> publications;
    private final StreamDatabase stream;
    private final EventSender sender;
    private final MeterRegistry meters;

    /** What was published is to be published again first. */
    private final Set<Publication> forgotten = ConcurrentHashMap.newKeySet();

    private ScheduledExecutorService threads = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    StatePublisher(
            List<Publication> publications,
            StreamDatabase stream,
            EventSender sender,
            MeterRegistry meters,
            boolean acceptRecreatedTopics) {
        this.publications = List.copyOf(publications);
        if (acceptRecreatedTopics) {
            publications.stream()
                    .filter(p -> p.retelling() == Publication.Retelling.AGAIN)
                    .forEach(forgotten::add);
        }
        this.stream = stream;
        this.sender = sender;
        this.meters = meters;
        publications.forEach(this::unreadable);
    }

    /** A message of null: none can be made of the row. */
    private record Row(List<String> key, long revision, @Nullable Outgoing message) {}

    private Counter unreadable(Publication publication) {
        return meters.counter("mirante.publication.unreadable", "table", publication.table());
    }

    @Override
    public void start() {
        running = true;
        if (publications.isEmpty()) {
            return;
        }
        threads =
                Executors.newScheduledThreadPool(
                        publications.size(),
                        Thread.ofPlatform().daemon().name("publish-", 0).factory());
        for (var publication : publications) {
            var unused =
                    threads.scheduleWithFixedDelay(
                            () -> drain(publication),
                            PAUSE.toMillis(),
                            PAUSE.toMillis(),
                            TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void stop() {
        running = false;
        threads.shutdownNow();
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    private void drain(Publication publication) {
        try {
            while (running && forgotten.contains(publication)) {
                Long rows = forget(publication).block(LIMIT);
                if (rows == null || rows == 0) {
                    forgotten.remove(publication);
                }
            }
            while (running) {
                Integer sent = once(publication).block(LIMIT);
                if (sent == null || sent == 0) {
                    return;
                }
            }
        } catch (RuntimeException e) {
            if (running) {
                LOG.warn(
                        "cannot publish {} at the moment: {}", publication.table(), e.getMessage());
            }
        }
    }

    /** Takes some rows for unpublished; completes with their number. */
    private Mono<Long> forget(Publication publication) {
        return stream.inTransaction(db ->
                db.sql(
                                """
                                UPDATE %1$s SET published_revision = 0 WHERE ctid = ANY (ARRAY(
                                    SELECT ctid FROM %1$s WHERE published_revision > 0 LIMIT $1 FOR UPDATE SKIP LOCKED))\
                                """
                                        .formatted(publication.table()))
                        .bind(0, BATCH)
                        .fetch()
                        .rowsUpdated());
    }

    /** Publishes one batch; completes with its size. */
    Mono<Integer> once(Publication publication) {
        return stream.inTransaction(db ->
                db.sql("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || $1))")
                        .bind(0, publication.table())
                        .map(row -> Boolean.TRUE.equals(row.get(0, Boolean.class)))
                        .one()
                        .flatMap(ours -> ours ? publish(publication, db) : Mono.just(0)));
    }

    private Mono<Integer> publish(Publication publication, DatabaseClient db) {
        return db.sql(publication.select())
                .map(row -> read(publication, row))
                .all()
                .collectList()
                .flatMap(rows ->
                        rows.isEmpty()
                                ? Mono.just(0)
                                : sender.sendAll(
                                                rows.stream()
                                                        .map(Row::message)
                                                        .filter(Objects::nonNull)
                                                        .toList())
                                        .then(mark(publication, rows, db))
                                        .thenReturn(rows.size()));
    }

    private Row read(Publication publication, io.r2dbc.spi.Readable row) {
        var key = new ArrayList<String>();
        for (var column : publication.keyColumns()) {
            key.add(Objects.requireNonNull(row.get(column, String.class), column));
        }
        long revision = Objects.requireNonNull(row.get("revision", Long.class), "revision");
        try {
            return new Row(key, revision, publication.message().apply(row));
        } catch (RuntimeException e) {
            unreadable(publication).increment();
            // Keys may hold people's ids: the first column is the tenant, and the revision finds
            // the row.
            LOG.error(
                    "a row of {} of tenant {} at revision {} cannot be published and is passed over: {}",
                    publication.table(),
                    key.getFirst(),
                    revision,
                    e.getClass().getSimpleName());
            return new Row(key, revision, null);
        }
    }

    /**
     * Marks what was sent. Rows are locked in the order of their keys first, as consumers lock them: an update alone
     * would lock them in the order of its plan, and the two could wait for each other.
     */
    private static Mono<Void> mark(Publication publication, List<Row> rows, DatabaseClient db) {
        var columns = publication.keyColumns();
        var arrays = new StringJoiner(", ");
        var names = new StringJoiner(", ");
        var match = new StringJoiner(" AND ");
        var order = new StringJoiner(", ");
        for (int i = 0; i < columns.size(); i++) {
            var column = columns.get(i);
            arrays.add("$" + (i + 1) + "::text[]");
            names.add("k" + i);
            match.add("t." + column + " = v.k" + i);
            order.add("t." + column + " COLLATE \"C\"");
        }
        var keys = "UNNEST(%s) AS v(%s)".formatted(arrays, names);
        var revised =
                "UNNEST(%s, $%d::bigint[]) AS v(%s, revision)"
                        .formatted(arrays, columns.size() + 1, names);
        var lock =
                bindKeys(
                        db.sql(
                                "SELECT 1 FROM %s t JOIN %s ON %s ORDER BY %s FOR UPDATE OF t"
                                        .formatted(publication.table(), keys, match, order)),
                        columns.size(),
                        rows);
        var update =
                bindKeys(
                                db.sql(
                                        "UPDATE %s t SET published_revision = v.revision FROM %s WHERE %s AND t.published_revision < v.revision"
                                                .formatted(publication.table(), revised, match)),
                                columns.size(),
                                rows)
                        .bind(
                                columns.size(),
                                rows.stream().map(Row::revision).toArray(Long[]::new));
        return lock.then().then(update.then());
    }

    private static DatabaseClient.GenericExecuteSpec bindKeys(
            DatabaseClient.GenericExecuteSpec sql, int columns, List<Row> rows) {
        var spec = sql;
        for (int i = 0; i < columns; i++) {
            int column = i;
            spec = spec.bind(i, rows.stream().map(r -> r.key().get(column)).toArray(String[]::new));
        }
        return spec;
    }
}
