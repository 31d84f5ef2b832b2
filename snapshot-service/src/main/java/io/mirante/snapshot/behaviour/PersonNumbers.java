package io.mirante.snapshot.behaviour;

import io.mirante.platform.persistence.TenantDatabase;
import java.util.List;
import java.util.Objects;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/** Which numbers persons have. Thread-safe. */
@Component
public final class PersonNumbers {

    private final TenantDatabase database;

    PersonNumbers(TenantDatabase database) {
        this.database = database;
    }

    /**
     * The numbers of the persons with these user ids, of each that is none with this anonymous id: their own, and those of persons who go by
     * them. Empty when nobody has one of the ids.
     */
    public Mono<List<Long>> of(String tenant, List<String> ids) {
        return database.one(
                tenant,
                db ->
                        db.sql(
                                        """
                                        WITH found AS (SELECT p.person_no FROM unnest($1::text[]) AS asked(id) CROSS JOIN LATERAL (
                                            SELECT %s AS person_no FROM person e%s
                                            WHERE e.user_id = asked.id OR e.anonymous_id = asked.id
                                            ORDER BY (e.user_id = asked.id) DESC NULLS LAST, e.user_id IS NOT NULL, e.person_no LIMIT 1) p)
                                        SELECT person_no FROM found
                                        UNION SELECT m.person_no FROM merged_person m JOIN found ON m.user_no = found.person_no\
                                        """
                                                .formatted(
                                                        MergedPersons.PERSON, MergedPersons.JOIN))
                                .bind(0, ids.toArray(String[]::new))
                                .map(row -> Objects.requireNonNull(row.get(0, Long.class)))
                                .all()
                                .collectList());
    }
}
