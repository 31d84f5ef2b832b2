package io.mirante.platform.messaging;

import io.mirante.platform.persistence.StreamDatabase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Sends rows until their published revision is their revision. One replica at a time publishes a table (an advisory
 * lock), so that an older revision never overtakes a newer one. A crash between sending and marking sends again: readers
 * keep the highest revision.
 */
final class StatePublisher implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(StatePublisher.class);
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final List<Publication> publications;
    private final StreamDatabase stream;
    private final EventSender sender;
    private ScheduledExecutorService threads = Executors.newScheduledThreadPool(0);
    private volatile boolean running;

    StatePublisher(List<Publication> publications, StreamDatabase stream, EventSender sender) {
        this.publications = List.copyOf(publications);
        this.stream = stream;
        this.sender = sender;
    }

    private record Row(List<String> key, long revision, Outgoing message) {}

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
                                : sender.sendAll(rows.stream().map(Row::message).toList())
                                        .then(mark(publication, rows, db))
                                        .thenReturn(rows.size()));
    }

    private static Row read(Publication publication, io.r2dbc.spi.Readable row) {
        var key = new ArrayList<String>();
        for (var column : publication.keyColumns()) {
            key.add(Objects.requireNonNull(row.get(column, String.class), column));
        }
        return new Row(
                key,
                Objects.requireNonNull(row.get("revision", Long.class), "revision"),
                publication.message().apply(row));
    }

    private static Mono<Void> mark(Publication publication, List<Row> rows, DatabaseClient db) {
        var columns = publication.keyColumns();
        var arrays = new StringBuilder();
        var match = new StringBuilder();
        for (int i = 0; i < columns.size(); i++) {
            arrays.append("$").append(i + 1).append("::text[], ");
            match.append("t.").append(columns.get(i)).append(" = v.k").append(i).append(" AND ");
        }
        var names = new StringBuilder();
        for (int i = 0; i < columns.size(); i++) {
            names.append("k").append(i).append(", ");
        }
        DatabaseClient.GenericExecuteSpec spec =
                db.sql(
                        "UPDATE %s t SET published_revision = v.revision FROM UNNEST(%s$%d::bigint[]) AS v(%srevision) WHERE %st.published_revision < v.revision"
                                .formatted(
                                        publication.table(),
                                        arrays,
                                        columns.size() + 1,
                                        names,
                                        match));
        for (int i = 0; i < columns.size(); i++) {
            int column = i;
            spec = spec.bind(i, rows.stream().map(r -> r.key().get(column)).toArray(String[]::new));
        }
        return spec.bind(columns.size(), rows.stream().map(Row::revision).toArray(Long[]::new))
                .then();
    }
}
