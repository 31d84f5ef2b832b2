package io.mirante.snapshot.behaviour;

import io.mirante.contracts.etl.PersonMerge;
import io.mirante.contracts.etl.PersonRecord;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Identities;
import io.mirante.platform.messaging.Received;
import io.mirante.platform.persistence.TenantDatabase;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * Who goes by whom, from etl's ledger of merges. Of the rows about a person that with the highest revision counts, in
 * whatever order they come. Thread-safe.
 */
final class MergedPersons {

    /**
     * Joins a table of persons' rows named {@code e}, with {@link #PERSON} as the number of whom the person goes by.
     */
    static final String JOIN =
            " LEFT JOIN merged_person m ON m.tenant_id = e.tenant_id AND m.person_no = e.person_no";

    static final String PERSON = "coalesce(m.user_no, e.person_no)";

    private MergedPersons() {}

    /**
     * Who goes by whom at one moment.
     *
     * @param persons ascending
     * @param users whom each of them goes by
     */
    @SuppressWarnings("ArrayRecordComponent") // never shared
    record Merged(long[] persons, long[] users) {

        /** The number of whom a person goes by: mostly the person's own. */
        long of(long person) {
            int at = persons.length == 0 ? -1 : Arrays.binarySearch(persons, person);
            return at < 0 ? person : users[at];
        }

        /** The number below which nobody goes by one above {@code after}. */
        long lowest(long after) {
            long lowest = after;
            for (int i = 0; i < persons.length && persons[i] <= lowest; i++) {
                if (users[i] > after) {
                    lowest = persons[i] - 1;
                }
            }
            return lowest;
        }

        /** The number above which nobody goes by one above {@code after} and up to {@code until}. */
        long highest(long after, long until) {
            for (int i = persons.length - 1; i >= 0 && persons[i] > until; i--) {
                if (users[i] > after && users[i] <= until) {
                    return persons[i];
                }
            }
            return until;
        }
    }

    /** All of the tenant's. */
    static Mono<Merged> read(String tenant, TenantDatabase database) {
        return database.many(
                        tenant,
                        db ->
                                db.sql(
                                                "SELECT person_no, user_no FROM merged_person WHERE user_no IS NOT NULL ORDER"
                                                        + " BY person_no")
                                        .map(row ->
                                                new long[] {
                                                    Objects.requireNonNull(row.get(0, Long.class)),
                                                    Objects.requireNonNull(row.get(1, Long.class))
                                                })
                                        .all())
                .collectList()
                .map(rows ->
                        new Merged(
                                rows.stream().mapToLong(row -> row[0]).toArray(),
                                rows.stream().mapToLong(row -> row[1]).toArray()));
    }

    @Configuration(proxyBeanMethods = false)
    static class Binding {
        @Bean
        Consumer<Message<List<byte[]>>> mergePersons(BatchRunner runner) {
            return runner.storing("mergePersons", Identities.parser(), MergedPersons::store);
        }
    }

    private record Key(String tenant, long person) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int tenants = tenant.compareTo(other.tenant);
            return tenants != 0 ? tenants : Long.compare(person, other.person);
        }
    }

    private static Mono<Void> store(List<Received<PersonRecord>> fresh, DatabaseClient stream) {
        var newest = new TreeMap<Key, PersonMerge>();
        for (var received : fresh) {
            if (received.value() instanceof PersonMerge merge
                    && !merge.state().equals(PersonMerge.REFUSED)) {
                newest.merge(
                        new Key(merge.tenantId(), merge.personNo()),
                        merge,
                        (a, b) -> b.revision() > a.revision() ? b : a);
            }
        }
        if (newest.isEmpty()) {
            return Mono.empty();
        }
        var merges = List.copyOf(newest.values());
        return stream.sql(
                        "INSERT INTO merged_person AS m (tenant_id, person_no, user_no, revision) SELECT * FROM"
                                + " UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) ON CONFLICT"
                                + " (tenant_id, person_no) DO UPDATE SET user_no = excluded.user_no, revision ="
                                + " excluded.revision WHERE m.revision < excluded.revision")
                .bind(0, merges.stream().map(PersonMerge::tenantId).toArray(String[]::new))
                .bind(1, merges.stream().map(PersonMerge::personNo).toArray(Long[]::new))
                .bind(2, merges.stream().map(MergedPersons::user).toArray(Long[]::new))
                .bind(3, merges.stream().map(PersonMerge::revision).toArray(Long[]::new))
                .then();
    }

    private static @Nullable Long user(PersonMerge merge) {
        return merge.state().equals(PersonMerge.MERGED) ? merge.userNo() : null;
    }
}
