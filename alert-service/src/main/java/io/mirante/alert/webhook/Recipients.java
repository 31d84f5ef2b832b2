package io.mirante.alert.webhook;

import io.mirante.platform.jobs.TimeOrderedIds;
import io.r2dbc.spi.Readable;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Recipients of rules and of alerts raised by hand; every call runs in the caller's transaction. Thread-safe. */
@Component
public final class Recipients {

    /** Recipients of the owners, oldest first. */
    public Mono<List<Recipient>> of(Collection<String> owners, DatabaseClient db) {
        return db.sql(
                        "SELECT recipient_id, owner_id, url, disabled_reason FROM recipient WHERE owner_id = ANY($1)"
                                + " AND removed_at IS NULL ORDER BY recipient_id")
                .bind(0, owners.toArray(String[]::new))
                .map(Recipients::read)
                .all()
                .collectList();
    }

    /**
     * Makes these the owner's recipients. One whose URL the owner already has keeps its id and, unless another is given,
     * its secret, and is sent to again if it was disabled; what waits for one that goes is cancelled.
     */
    public Mono<List<Recipient>> replace(
            String tenant,
            String owner,
            List<Recipient.Draft> drafts,
            Instant now,
            DatabaseClient db) {
        return of(List.of(owner), db)
                .flatMap(known -> {
                    var byUrl =
                            known.stream()
                                    .collect(Collectors.toMap(Recipient::url, Function.identity()));
                    var urls = drafts.stream().map(Recipient.Draft::url).toList();
                    var gone =
                            known.stream()
                                    .filter(r -> !urls.contains(r.url()))
                                    .map(Recipient::id)
                                    .toList();
                    return remove(gone, now, db)
                            .then(cancel(gone, now, db))
                            .thenMany(Flux.fromIterable(drafts))
                            .concatMap(draft -> keepOrAdd(tenant, owner, draft, byUrl, db))
                            .collectList();
                });
    }

    private static Mono<Recipient> keepOrAdd(
            String tenant,
            String owner,
            Recipient.Draft draft,
            Map<String, Recipient> known,
            DatabaseClient db) {
        var same = known.get(draft.url());
        if (same != null) {
            return db.sql(
                            "UPDATE recipient SET disabled_reason = NULL, secret = coalesce(nullif($2, ''), secret)"
                                    + " WHERE recipient_id = $1")
                    .bind(0, same.id())
                    .bind(1, Objects.requireNonNullElse(draft.secret(), ""))
                    .then()
                    .thenReturn(new Recipient(same.id(), owner, same.url(), null, null));
        }
        var id = "rcp_" + TimeOrderedIds.next();
        @Nullable String made = draft.secret() == null ? Signature.newSecret() : null;
        return db.sql(
                        "INSERT INTO recipient (tenant_id, recipient_id, owner_id, url, secret) VALUES ($1, $2, $3, $4,"
                                + " $5)")
                .bind(0, tenant)
                .bind(1, id)
                .bind(2, owner)
                .bind(3, draft.url())
                .bind(4, made == null ? Objects.requireNonNull(draft.secret()) : made)
                .then()
                .thenReturn(new Recipient(id, owner, draft.url(), null, made));
    }

    /** Removes all of an owner's; what is already on its way to them still is. */
    public Mono<Void> removeAll(String owner, Instant now, DatabaseClient db) {
        return of(List.of(owner), db)
                .flatMap(all -> remove(all.stream().map(Recipient::id).toList(), now, db));
    }

    /** Forgets those removed before a time. */
    public Mono<Long> deleteRemovedBefore(Instant time, DatabaseClient db) {
        return db.sql("DELETE FROM recipient WHERE removed_at < $1")
                .bind(0, time)
                .fetch()
                .rowsUpdated();
    }

    private static Mono<Void> remove(List<String> ids, Instant now, DatabaseClient db) {
        return db.sql("UPDATE recipient SET removed_at = $2 WHERE recipient_id = ANY($1)")
                .bind(0, ids.toArray(String[]::new))
                .bind(1, now)
                .then();
    }

    private static Mono<Void> cancel(List<String> ids, Instant now, DatabaseClient db) {
        return db.sql(
                        "UPDATE delivery SET status = 'cancelled', ended_at = $2, last_answer = 'the recipient was"
                                + " removed' WHERE recipient_id = ANY($1) AND status = 'pending'")
                .bind(0, ids.toArray(String[]::new))
                .bind(1, now)
                .then();
    }

    private static Recipient read(Readable row) {
        return new Recipient(
                Objects.requireNonNull(row.get(0, String.class)),
                Objects.requireNonNull(row.get(1, String.class)),
                Objects.requireNonNull(row.get(2, String.class)),
                row.get(3, String.class),
                null);
    }
}
