package io.mirante.etl.log;

import io.mirante.etl.features.ChangedUsers;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.Received;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Stores a poll of raw events and says what to publish. Identities, persons, log and the marks on users' features are one
 * transaction; locks are taken in this order and each sorted by key, so that concurrent polls do not deadlock. Fails only
 * with PostgreSQL. Thread-safe.
 */
@Component
final class StoreEvents {

    private final EventIdentities identities;
    private final Persons persons;
    private final EventLog log;
    private final ChangedUsers changedUsers;
    private final EventCounters counters;

    StoreEvents(
            EventIdentities identities,
            Persons persons,
            EventLog log,
            ChangedUsers changedUsers,
            EventCounters counters) {
        this.identities = identities;
        this.persons = persons;
        this.log = log;
        this.changedUsers = changedUsers;
        this.counters = counters;
    }

    /** A record seen before stores nothing and is answered with the same records as the first time. */
    Mono<List<Outgoing>> store(List<Received<RawEvent>> poll, DatabaseClient db) {
        return identities
                .sort(poll, db)
                .flatMap(sorted ->
                        persons.number(personsOf(sorted.kept()), db)
                                .flatMap(numbered ->
                                        keep(sorted, numbered, db)
                                                .thenReturn(CleanRecords.of(sorted, numbered))));
    }

    private Mono<Void> keep(SortedPoll sorted, NumberedPersons numbered, DatabaseClient db) {
        var fresh = sorted.fresh();
        return log.append(fresh, numbered, db)
                .then(changedUsers.mark(changes(fresh, numbered), db))
                .then(counters.afterCommit(sorted));
    }

    private static Set<Person> personsOf(List<Sorted> events) {
        var persons = new LinkedHashSet<Person>();
        for (var event : events) {
            var person = event.event().person();
            if (person != null) {
                persons.add(person);
            }
        }
        return persons;
    }

    private static List<ChangedUsers.Change> changes(List<Sorted> fresh, NumberedPersons numbered) {
        return fresh.stream()
                .filter(s -> s.event().event().userId() != null)
                .map(s ->
                        new ChangedUsers.Change(
                                s.event().tenantId(),
                                String.valueOf(s.event().event().userId()),
                                numbered.no(s.event().person()),
                                s.event().event().occurredAt()))
                .toList();
    }
}
