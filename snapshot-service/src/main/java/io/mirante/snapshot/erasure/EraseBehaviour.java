package io.mirante.snapshot.erasure;

import io.mirante.contracts.events.Depersonalised;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson;
import io.mirante.platform.erasure.PersonFiles;
import io.mirante.platform.rebuild.GenerationLock;
import io.mirante.snapshot.Generation;
import io.mirante.snapshot.lake.EraseFromLake;
import io.mirante.snapshot.lake.LakeManifest;
import java.util.List;
import java.util.UUID;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Blanks what identifies in a person's events and keeps the rows, so that totals, funnels and sessions stay. A session's
 * id becomes another one that nothing leads back from. Windows hold no persons. A rebuild's rows are blanked as those that
 * are shown; the lake's files take their place from them afterwards.
 */
@Component
final class EraseBehaviour implements ErasePerson {

    private final EraseFromLake lake;

    EraseBehaviour(EraseFromLake lake) {
        this.lake = lake;
    }

    @Override
    public List<String> userColumns() {
        return List.of("person.user_id");
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        if (person.personNos().isEmpty()) {
            return Mono.just(Erased.NOTHING);
        }
        var numbers = person.personNos().toArray(Long[]::new);
        var events = blank(Generation.CURRENT, person, numbers, db);
        var rebuilt = blank(Generation.REBUILT, person, numbers, db);
        var persons =
                db.sql(
                                """
                                UPDATE person SET user_id = NULL, anonymous_id = NULL
                                WHERE tenant_id = $1 AND person_no = ANY($2)
                                    AND (user_id IS NOT NULL OR anonymous_id IS NOT NULL)\
                                """)
                        .bind(0, person.tenantId())
                        .bind(1, numbers)
                        .fetch()
                        .rowsUpdated();
        return GenerationLock.holdSwap(List.of(person.tenantId()), db)
                .then(LakeManifest.erased(person.tenantId(), person.personNos(), db))
                .then(events)
                .zipWhen(rows -> rebuilt)
                .flatMap(rows ->
                        persons.map(known ->
                                new Erased(
                                        List.of(
                                                new Removal(
                                                        "behaviour_event",
                                                        Removal.BLANKED,
                                                        rows.getT1() + rows.getT2()),
                                                new Removal("person", Removal.BLANKED, known)),
                                        List.of(),
                                        List.of())));
    }

    @Override
    public Erased eraseRest(Target person, PersonFiles files) {
        return lake.erase(person.tenantId());
    }

    private static Mono<Long> blank(
            Generation generation, Target person, Long[] numbers, DatabaseClient db) {
        return db.sql(
                        """
                        UPDATE %s SET user_id = NULL, anonymous_id = NULL,
                            session_id = encode(sha256(convert_to($3 || session_id, 'UTF8')), 'hex'),
                            main_property = CASE
                                WHEN event_type IN ('search', 'identify', 'alias', 'group') THEN NULL
                                WHEN $4 <> '' AND position($4 IN main_property) > 0 THEN NULL
                                ELSE main_property END,
                            data = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(data)
                                    WHERE key = ANY($5) AND jsonb_typeof(value) NOT IN ('object', 'array'))
                        WHERE tenant_id = $1 AND person_no = ANY($2)
                            AND (user_id IS NOT NULL OR anonymous_id IS NOT NULL)\
                        """
                                .formatted(generation.eventTable()))
                .bind(0, person.tenantId())
                .bind(1, numbers)
                .bind(2, UUID.randomUUID().toString())
                .bind(3, person.userId())
                .bind(4, Depersonalised.KEPT.toArray(String[]::new))
                .fetch()
                .rowsUpdated();
    }
}
