package io.mirante.etl.erasure;

import io.mirante.contracts.Topics;
import io.mirante.contracts.events.Depersonalised;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson;
import io.mirante.platform.erasure.PersonFiles;
import io.mirante.platform.erasure.PersonRows;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.UUID;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Takes a person's ids off their number and out of the event log, and says which numbers they had: the user's own and
 * those of the anonymous ids that the user's events carried. The rows stay under numbers that lead nowhere; the next event
 * of the same id gets another number. What runs hold is removed after that, since loads take longer than consumers may wait.
 */
@Component
final class EraseFromLog implements ErasePerson {

    private final EraseFromRuns runs;

    EraseFromLog(EraseFromRuns runs) {
        this.runs = runs;
    }

    @Override
    public List<String> userColumns() {
        return List.of(
                "user_feature_state.user_id",
                "user_mark.user_id",
                "ml_features.user_features_row.user_id");
    }

    @Override
    public boolean goesFirst() {
        return true;
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        return PersonRows.holdPublication(db, List.of("user_feature_state", "person_merge"))
                .then(identities(person, db))
                .flatMap(held -> erase(person, held, db));
    }

    @Override
    public Erased eraseRest(Target person, PersonFiles files) throws IOException {
        return runs.erase(person, files);
    }

    /** Ids that lead to the person, with their numbers. */
    private record Identity(String kind, String id, long personNo) {}

    private static Mono<List<Identity>> identities(Target person, DatabaseClient db) {
        return db.sql(
                        """
                        WITH own AS (
                            SELECT kind, id, person_no FROM person
                            WHERE tenant_id = $1 AND kind = 'user' AND id = $2
                        ), seen AS (
                            SELECT DISTINCT anonymous_id FROM analytics_event
                            WHERE tenant_id = $1 AND anonymous_id IS NOT NULL
                                AND person_no = ANY(ARRAY(SELECT person_no FROM own) || $3::bigint[])
                            UNION
                            SELECT id FROM person_merge
                            WHERE tenant_id = $1 AND kind = 'anonymous' AND state = 'merged'
                                AND user_no = ANY(ARRAY(SELECT person_no FROM own) || $3::bigint[])
                        )
                        SELECT kind, id, person_no FROM own
                        UNION ALL
                        SELECT p.kind, p.id, p.person_no FROM person p JOIN seen s ON p.id = s.anonymous_id
                        WHERE p.tenant_id = $1 AND p.kind = 'anonymous'\
                        """)
                .bind(0, person.tenantId())
                .bind(1, person.userId())
                .bind(2, person.personNos().toArray(Long[]::new))
                .map(row ->
                        new Identity(
                                Objects.requireNonNull(row.get(0, String.class)),
                                Objects.requireNonNull(row.get(1, String.class)),
                                Objects.requireNonNull(row.get(2, Long.class))))
                .all()
                .collectList();
    }

    private static Mono<Erased> erase(Target person, List<Identity> held, DatabaseClient db) {
        var numbers = new TreeSet<>(person.personNos());
        held.forEach(identity -> numbers.add(identity.personNo()));
        return forgetMerges(person, List.copyOf(numbers), db)
                .flatMap(merges ->
                        eraseRows(person, held, List.copyOf(numbers), db)
                                .map(erased -> withMerges(person, erased, merges)));
    }

    private static Mono<Erased> eraseRows(
            Target person, List<Identity> held, List<Long> numbers, DatabaseClient db) {
        return blankEvents(person, numbers, db)
                .flatMap(events ->
                        forget(person, held, db)
                                .flatMap(ids ->
                                        PersonRows.delete(
                                                        person,
                                                        db,
                                                        "user_id",
                                                        List.of(
                                                                "user_mark",
                                                                "user_feature_state",
                                                                "user_feature_values"))
                                                .map(features ->
                                                        all(
                                                                person, held, events, ids, features,
                                                                numbers))));
    }

    private static Mono<Long> blankEvents(Target person, List<Long> numbers, DatabaseClient db) {
        return db.sql(
                        """
                        UPDATE analytics_event SET user_id = NULL, anonymous_id = NULL,
                            session_id = encode(sha256(convert_to($3 || session_id, 'UTF8')), 'hex'),
                            partition_key = '',
                            payload = jsonb_build_object(
                                'data', (SELECT coalesce(jsonb_object_agg(key, value), '{}')
                                         FROM jsonb_each(payload -> 'data')
                                         WHERE key = ANY($4) AND jsonb_typeof(value) NOT IN ('object', 'array')),
                                'metadata', '{}'::jsonb,
                                'context', CASE WHEN jsonb_typeof(payload #> '{context,location,country}') = 'string'
                                    THEN jsonb_build_object('location', jsonb_build_object(
                                        'country', payload #> '{context,location,country}')) ELSE '{}' END
                                    || CASE WHEN jsonb_typeof(payload #> '{context,device,device_type}') = 'string'
                                    THEN jsonb_build_object('device', jsonb_build_object(
                                        'device_type', payload #> '{context,device,device_type}')) ELSE '{}' END,
                                'timestamp_as_given', NULL)
                        WHERE tenant_id = $1 AND person_no = ANY($2) AND partition_key <> ''\
                        """)
                .bind(0, person.tenantId())
                .bind(1, numbers.toArray(Long[]::new))
                .bind(2, UUID.randomUUID().toString())
                .bind(3, Depersonalised.KEPT.toArray(String[]::new))
                .fetch()
                .rowsUpdated();
    }

    private static Mono<Long> forget(Target person, List<Identity> held, DatabaseClient db) {
        return db.sql(
                        """
                        DELETE FROM person p USING UNNEST($2::text[], $3::text[]) AS held(kind, id)
                        WHERE p.tenant_id = $1 AND p.kind = held.kind AND p.id = held.id\
                        """)
                .bind(0, person.tenantId())
                .bind(1, held.stream().map(Identity::kind).toArray(String[]::new))
                .bind(2, held.stream().map(Identity::id).toArray(String[]::new))
                .fetch()
                .rowsUpdated();
    }

    /** Rows of the ledger that name the person, from either side. */
    private static Mono<List<String>> forgetMerges(
            Target person, List<Long> numbers, DatabaseClient db) {
        return db.sql(
                        """
                        DELETE FROM person_merge
                        WHERE tenant_id = $1 AND (person_no = ANY($2) OR user_no = ANY($2)) RETURNING merge_id\
                        """)
                .bind(0, person.tenantId())
                .bind(1, numbers.toArray(Long[]::new))
                .map(row -> Objects.requireNonNull(row.get(0, String.class)))
                .all()
                .collectList();
    }

    private static Erased withMerges(Target person, Erased erased, List<String> merges) {
        var all =
                erased.and(
                        new Erased(
                                List.of(
                                        new Removal(
                                                "person_merge", Removal.DELETED, merges.size())),
                                List.of(),
                                List.of()));
        for (var merge : merges) {
            all =
                    all.and(
                            PersonRows.tombstone(
                                    Topics.IDENTITIES, person.tenantId(), "merge", merge));
        }
        return all;
    }

    private static Erased all(
            Target person,
            List<Identity> held,
            long events,
            long ids,
            Erased features,
            List<Long> numbers) {
        var removed = new ArrayList<Removal>();
        removed.add(new Removal("analytics_event", Removal.BLANKED, events));
        removed.add(new Removal("person", Removal.DELETED, ids));
        var all =
                features.and(new Erased(removed, List.of(), numbers))
                        .and(PersonRows.tombstone(person, Topics.FEATURES_USER));
        for (var identity : held) {
            all =
                    all.and(
                            PersonRows.tombstone(
                                    Topics.IDENTITIES,
                                    person.tenantId(),
                                    identity.kind(),
                                    identity.id()));
        }
        return all;
    }
}
