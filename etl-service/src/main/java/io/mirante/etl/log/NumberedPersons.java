package io.mirante.etl.log;

import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a poll's persons.
 *
 * @param fresh those who got theirs just now
 */
record NumberedPersons(Map<Person, Number> numbers, Set<Person> fresh) {

    /** A person's number within the tenant, 1 or more, and since when. */
    record Number(long no, Instant numberedAt) {}

    /** The person's number; 0 for nobody. */
    long no(@Nullable Person person) {
        return person == null ? 0 : number(person).no();
    }

    Number number(Person person) {
        return Objects.requireNonNull(numbers.get(person), () -> "no number of " + person);
    }
}
