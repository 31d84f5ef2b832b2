package io.mirante.etl.log;

import io.mirante.etl.features.ChangedUsers;
import io.mirante.etl.features.LogBacklog;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.mirante.platform.messaging.DeadRecord;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.messaging.PublishHandler;
import io.mirante.platform.messaging.Received;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.springframework.r2dbc.core.DatabaseClient;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;

/**
 * Stores a poll of raw events and says what to publish. Identities, persons, log, merges and the marks on users' features are one
 * transaction; locks are taken in this order and each sorted by key, so that concurrent polls do not deadlock. Fails only
 * with PostgreSQL. Thread-safe.
 */
@Component
final class StoreEvents implements PublishHandler<RawEvent> {

    private final EventIdentities identities;
    private final Persons persons;
    private final EventLog log;
    private final PersonMerges merges;
    private final ChangedUsers changedUsers;
    private final LogBacklog backlog;
    private final EventCounters counters;
    private final EventMeta meta;

    StoreEvents(
            EventIdentities identities,
            Persons persons,
            EventLog log,
            PersonMerges merges,
            ChangedUsers changedUsers,
            LogBacklog backlog,
            EventCounters counters,
            EventMeta meta) {
        this.identities = identities;
        this.persons = persons;
        this.log = log;
        this.merges = merges;
        this.changedUsers = changedUsers;
        this.backlog = backlog;
        this.counters = counters;
        this.meta = meta;
    }

    /** A record seen before stores nothing and is answered with the same records as the first time. */
    @Override
    public Mono<Supplier<List<Outgoing>>> store(List<Received<RawEvent>> poll, DatabaseClient db) {
        backlog.polled(poll.size());
        return identities
                .sort(poll, db)
                .flatMap(sorted -> {
                    var rows = EventLog.rows(sorted.fresh());
                    // From here on other polls of the same tenants wait, if they have new persons
                    // too.
                    return persons.number(personsOf(sorted.kept()), db)
                            .flatMap(numbered ->
                                    keep(sorted, rows, numbered, db)
                                            .thenReturn(() -> CleanRecords.of(sorted, numbered)));
                });
    }

    @Override
    public Mono<Void> passedOver(List<DeadRecord> dead, DatabaseClient db) {
        return meta.passedOver(dead, db);
    }

    private Mono<Void> keep(
            SortedPoll sorted, EventLog.Rows rows, NumberedPersons numbered, DatabaseClient db) {
        var fresh = sorted.fresh();
        return log.append(rows, numbered, db)
                .then(merges.apply(fresh, numbered, db))
                .flatMap(merged ->
                        merges.users(visitorsOf(fresh), db)
                                .flatMap(users ->
                                        changedUsers.mark(changes(fresh, numbered, users), db))
                                .then(counters.afterCommit(sorted, merged)));
    }

    private static Set<Person> personsOf(List<Sorted> events) {
        var persons = new LinkedHashSet<Person>();
        events.forEach(event -> persons.addAll(event.event().persons()));
        return persons;
    }

    /** Those whose events say nothing of a user. */
    private static Set<Person> visitorsOf(List<Sorted> events) {
        var visitors = new LinkedHashSet<Person>();
        for (var event : events) {
            var person = event.event().person();
            if (person != null && person.kind().equals(Person.ANONYMOUS)) {
                visitors.add(person);
            }
        }
        return visitors;
    }

    /** An event of a visitor changes the user the visitor goes by. */
    private static List<ChangedUsers.Change> changes(
            List<Sorted> fresh, NumberedPersons numbered, Map<Person, PersonMerges.User> users) {
        var changes = new ArrayList<ChangedUsers.Change>();
        for (var sorted : fresh) {
            var person = sorted.event().person();
            if (person == null) {
                continue;
            }
            var user =
                    person.kind().equals(Person.USER)
                            ? new PersonMerges.User(person.id(), numbered.no(person))
                            : users.get(person);
            if (user != null) {
                changes.add(
                        new ChangedUsers.Change(
                                person.tenantId(),
                                user.id(),
                                user.no(),
                                sorted.event().event().occurredAt()));
            }
        }
        return changes;
    }
}
