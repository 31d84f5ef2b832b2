package io.mirante.platform.erasure;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topic;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson.Erased;
import io.mirante.platform.erasure.ErasePerson.Target;
import io.mirante.platform.messaging.Outgoing;
import java.util.List;
import java.util.Map;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Removals that services have in common. */
public final class PersonRows {

    private PersonRows() {}

    /** Deletes the rows of tables whose column holds the user's id. */
    public static Mono<Erased> delete(
            Target person, DatabaseClient db, String column, List<String> tables) {
        return Flux.fromIterable(tables)
                .concatMap(table ->
                        db.sql(
                                        "DELETE FROM %s WHERE tenant_id = $1 AND %s = $2"
                                                .formatted(table, column))
                                .bind(0, person.tenantId())
                                .bind(1, person.userId())
                                .fetch()
                                .rowsUpdated()
                                .map(rows -> new Removal(table, Removal.DELETED, rows)))
                .collectList()
                .map(removed -> new Erased(removed, List.of(), List.of()));
    }

    /** A tombstone on a topic that is keyed by tenant and user; nothing when the id is not known. */
    public static Erased tombstone(Target person, Topic topic) {
        if (person.userId().isEmpty()) {
            return Erased.NOTHING;
        }
        return tombstone(topic, person.tenantId(), person.userId());
    }

    /** A tombstone by its key's parts after the tenant. */
    public static Erased tombstone(Topic topic, String tenantId, String... rest) {
        var key = new String[rest.length + 1];
        key[0] = tenantId;
        System.arraycopy(rest, 0, key, 1, rest.length);
        return new Erased(
                List.of(new Removal(topic.name(), Removal.TOMBSTONE, 1)),
                List.of(
                        new Outgoing(
                                topic.name(),
                                null,
                                Keys.of(key),
                                null,
                                Map.of(CloudHeaders.TENANT, tenantId))),
                List.of());
    }

    /** Waits until nobody is publishing these tables, and keeps everybody from it until the transaction ends. */
    public static Mono<Void> holdPublication(DatabaseClient db, List<String> tables) {
        return Flux.fromIterable(tables.stream().sorted().toList())
                .concatMap(table ->
                        db.sql("SELECT pg_advisory_xact_lock(hashtext(current_schema() || $1))")
                                .bind(0, table)
                                .then())
                .then();
    }
}
