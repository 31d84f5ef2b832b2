package io.mirante.segmentation.erasure;

import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.erasure.ErasePerson;
import io.mirante.platform.erasure.PersonRows;
import io.mirante.platform.rebuild.GenerationLock;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Forgets a person's profile and all that is counted per person: one fan less, in segments and KPIs too. */
@Component
final class EraseProfile implements ErasePerson {

    private static final List<String> OF_USER =
            List.of(
                    "profile",
                    "user_day",
                    "event_count",
                    "client_session",
                    "known_as",
                    "purchase_day",
                    "rebuilt_profile",
                    "rebuilt_user_day",
                    "rebuilt_event_count",
                    "rebuilt_client_session",
                    "rebuilt_known_as",
                    "rebuilt_purchase_day",
                    "user_vector",
                    "user_cluster",
                    "user_risk");

    /** The last one last: it says whose the others are. */
    private static final List<String> OF_VISITOR =
            List.of(
                    "visitor_day",
                    "visitor_event_count",
                    "visitor_session",
                    "visitor_purchase_day",
                    "rebuilt_visitor_day",
                    "rebuilt_visitor_event_count",
                    "rebuilt_visitor_session",
                    "rebuilt_visitor_purchase_day",
                    "merged_visitor");

    @Override
    public List<String> userColumns() {
        return List.of("profile.user_id", "user_vector.user_id", "user_risk.user_id");
    }

    @Override
    public Mono<Erased> erase(Target person, DatabaseClient db) {
        return GenerationLock.holdSwap(List.of(person.tenantId()), db)
                .then(PersonRows.holdPublication(db, List.of("user_cluster")))
                .then(forgetVisitors(person, db))
                .zipWhen(visitors -> forgetUser(person, db), Erased::and);
    }

    private static Mono<Erased> forgetUser(Target person, DatabaseClient db) {
        return PersonRows.delete(person, db, "user_id", OF_USER)
                .delayUntil(rows -> purchasesChanged(person, db))
                .map(rows -> rows.and(PersonRows.tombstone(person, Topics.CLUSTERS)));
    }

    /** What the person did as a visitor, under the anonymous ids they were seen with or go by. */
    private static Mono<Erased> forgetVisitors(Target person, DatabaseClient db) {
        return Flux.fromIterable(OF_VISITOR)
                .concatMap(table ->
                        db.sql(
                                        """
                                        DELETE FROM %s WHERE tenant_id = $1 AND anonymous_id IN (
                                            SELECT anonymous_id FROM known_as WHERE tenant_id = $1 AND user_id = $2
                                            UNION
                                            SELECT anonymous_id FROM rebuilt_known_as WHERE tenant_id = $1 AND user_id = $2
                                            UNION
                                            SELECT anonymous_id FROM merged_visitor WHERE tenant_id = $1 AND user_id = $2)\
                                        """
                                                .formatted(table))
                                .bind(0, person.tenantId())
                                .bind(1, person.userId())
                                .fetch()
                                .rowsUpdated()
                                .map(rows -> new Removal(table, Removal.DELETED, rows)))
                .collectList()
                .map(removed -> new Erased(removed, List.of(), List.of()));
    }

    /** What was worked out over all purchases is worked out anew. */
    private static Mono<Void> purchasesChanged(Target person, DatabaseClient db) {
        return db.sql("UPDATE purchase_revision SET revision = revision + 1 WHERE tenant_id = $1")
                .bind(0, person.tenantId())
                .then();
    }
}
