package io.mirante.platform.erasure;

import io.mirante.contracts.gateway.PersonErased.Removal;
import io.mirante.platform.messaging.Outgoing;
import java.util.ArrayList;
import java.util.List;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/**
 * How a service erases a person. A service has one such bean, and its function {@code erasePersons} is bound to {@code
 * mirante.erasures}.
 */
public interface ErasePerson {

    /** Columns that hold user ids as they are, as {@code table.column} or {@code schema.table.column}: where one known by hash alone is looked for. */
    List<String> userColumns();

    /** Whether it acts on the request already, and says which numbers the person had: etl alone. */
    default boolean goesFirst() {
        return false;
    }

    /**
     * Removes what consumers hold of a person, in seconds. Runs in a transaction in which no consumer of this service applies anything; may
     * come again for the same person.
     *
     * @param db for all tenants: every statement names the tenant
     */
    Mono<Erased> erase(Target person, DatabaseClient db);

    /**
     * Removes the rest: files, and rows that others than consumers write, so that those who write them see the erasure or are seen by this.
     * Comes once that transaction has ended and no job runs that began before; on a thread that may block, as long as it takes; again
     * until it succeeds.
     *
     * @param files for the same person
     */
    default Erased eraseRest(Target person, PersonFiles files) throws Exception {
        return Erased.NOTHING;
    }

    /**
     * Whom to erase.
     *
     * @param userId empty when the service does not hold it and nobody else knows it any more
     * @param personNos numbers of the person; empty for the service that gives them
     */
    record Target(String tenantId, String userId, List<Long> personNos) {}

    /**
     * What was removed.
     *
     * @param tombstones sent before the transaction ends; none with the rest
     * @param personNos numbers the person had; from the service that gives them
     */
    record Erased(List<Removal> removed, List<Outgoing> tombstones, List<Long> personNos) {

        /** Nothing was held. */
        public static final Erased NOTHING = new Erased(List.of(), List.of(), List.of());

        public Erased {
            removed = removed.stream().filter(r -> r.count() > 0).toList();
            tombstones = List.copyOf(tombstones);
            personNos = List.copyOf(personNos);
        }

        /** Removals alone. */
        public static Erased of(Removal... removed) {
            return new Erased(List.of(removed), List.of(), List.of());
        }

        /** Both together. */
        public Erased and(Erased other) {
            var allRemoved = new ArrayList<>(removed);
            allRemoved.addAll(other.removed());
            var allTombstones = new ArrayList<>(tombstones);
            allTombstones.addAll(other.tombstones());
            var allNumbers = new ArrayList<>(personNos);
            allNumbers.addAll(other.personNos());
            return new Erased(allRemoved, allTombstones, allNumbers);
        }
    }
}
