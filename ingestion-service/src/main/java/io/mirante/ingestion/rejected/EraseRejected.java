package io.mirante.ingestion.rejected;

import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson;
import io.mirante.platform.keys.Seal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Deletes rejected events that name the person: each original of the tenant is opened and searched for the id, as a text
 * of JSON or, when it has eight characters or more, anywhere.
 */
@Component
final class EraseRejected implements ErasePerson {

    /** Shorter ids would be found inside of other words. */
    private static final int TELLING_LENGTH = 8;

    private final Seal seal;

    EraseRejected(Seal seal) {
        this.seal = seal;
    }

    @Override
    public List<String> userColumns() {
        return List.of();
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        if (person.userId().isEmpty()) {
            return Mono.just(Erased.NOTHING);
        }
        return naming(person, db)
                .flatMap(ids ->
                        db.sql(
                                        "DELETE FROM rejected_event WHERE tenant_id = $1 AND rejection_id = ANY($2)")
                                .bind(0, person.tenantId())
                                .bind(1, ids.toArray(String[]::new))
                                .fetch()
                                .rowsUpdated())
                .map(rows ->
                        new Erased(
                                List.of(new Removal("rejected_event", Removal.DELETED, rows)),
                                List.of(),
                                List.of()));
    }

    private Mono<List<String>> naming(Target person, DatabaseClient db) {
        var quoted = Json.mapper().writeValueAsString(person.userId());
        boolean telling = person.userId().length() >= TELLING_LENGTH;
        return db.sql(
                        """
                        SELECT rejection_id, original, sealed, errors::text || coalesce(event_id, '') AS around
                        FROM rejected_event WHERE tenant_id = $1\
                        """)
                .bind(0, person.tenantId())
                .map(row -> {
                    var id = Objects.requireNonNull(row.get(0, String.class));
                    var text =
                            original(
                                            person.tenantId(),
                                            id,
                                            Objects.requireNonNull(row.get(1, ByteBuffer.class)),
                                            Boolean.TRUE.equals(row.get(2, Boolean.class)))
                                    + row.get(3, String.class);
                    boolean named =
                            text.contains(quoted) || (telling && text.contains(person.userId()));
                    return named ? id : "";
                })
                .all()
                .filter(id -> !id.isEmpty())
                .collectList();
    }

    private String original(String tenant, String id, ByteBuffer stored, boolean sealed) {
        var bytes = new byte[stored.remaining()];
        stored.get(bytes);
        var open = sealed ? seal.open(tenant, id, bytes) : bytes;
        return open == null ? "" : new String(open, StandardCharsets.UTF_8);
    }
}
