package io.mirante.etl.log;

import io.mirante.contracts.etl.PersonMerge;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decides who goes by whom. A visitor goes by one known user at most; the first who claims them has them. Two known users
 * never become one, nor does a user take in more visitors within an hour than a person would. What was undone stays
 * apart, whatever is said again.
 *
 * <p>Claims of one call are taken by their events' own time, then event id: the order in which they come changes nothing.
 */
final class MergeRules {

    static final String TWO_KNOWN_PEOPLE = "two_known_people";
    static final String TOO_MANY_IDS = "too_many_ids";
    static final Duration WINDOW = Duration.ofHours(1);

    private MergeRules() {}

    /** An event says that a person is a user. */
    record Claim(
            Person person,
            long personNo,
            String userId,
            long userNo,
            String rule,
            String eventId,
            Instant occurredAt) {

        private static final Comparator<Claim> ORDER =
                Comparator.comparing((Claim c) -> c.person().tenantId())
                        .thenComparing(Claim::occurredAt)
                        .thenComparing(Claim::eventId)
                        .thenComparing(Claim::personNo);

        String mergeId() {
            return personNo + "-" + userNo;
        }

        Numbered numbered() {
            return new Numbered(person.tenantId(), personNo);
        }

        Numbered user() {
            return new Numbered(person.tenantId(), userNo);
        }
    }

    /** A person by number. */
    record Numbered(String tenantId, long no) {}

    private record Pair(String tenantId, String mergeId) {}

    /**
     * The rows of the ledger that claims add or change.
     *
     * @param ledger all rows of the persons claimed
     * @param taken when each user took in a visitor, as far as it may matter
     * @param mergesPerHour visitors a user takes in at most within an hour of the events' time
     */
    static List<PersonMerge> decide(
            Collection<Claim> claims,
            Collection<PersonMerge> ledger,
            Map<Numbered, List<Instant>> taken,
            int mergesPerHour,
            Instant now) {
        Map<Pair, PersonMerge> rows = new HashMap<>();
        Map<Numbered, Long> revisions = new HashMap<>();
        Map<Numbered, Long> goesBy = new HashMap<>();
        for (var row : ledger) {
            var person = new Numbered(row.tenantId(), row.personNo());
            rows.put(new Pair(row.tenantId(), row.mergeId()), row);
            revisions.merge(person, row.revision(), Math::max);
            if (row.state().equals(PersonMerge.MERGED)) {
                goesBy.put(person, row.userNo());
            }
        }
        Map<Numbered, List<Instant>> takenIn = new HashMap<>();
        taken.forEach((user, times) -> takenIn.put(user, new ArrayList<>(times)));
        Map<Pair, PersonMerge> changed = new LinkedHashMap<>();
        for (var claim : claims.stream().sorted(Claim.ORDER).toList()) {
            var pair = new Pair(claim.person().tenantId(), claim.mergeId());
            var before = rows.get(pair);
            if (before != null && !before.state().equals(PersonMerge.REFUSED)) {
                continue;
            }
            var times = takenIn.computeIfAbsent(claim.user(), user -> new ArrayList<>());
            var reason = reason(claim, goesBy, times, mergesPerHour);
            if (reason != null && before != null) {
                continue;
            }
            if (reason == null) {
                goesBy.put(claim.numbered(), claim.userNo());
                times.add(claim.occurredAt());
            }
            var row = row(claim, reason, revisions.merge(claim.numbered(), 1L, Long::sum), now);
            rows.put(pair, row);
            changed.put(pair, row);
        }
        return List.copyOf(changed.values());
    }

    private static @Nullable String reason(
            Claim claim, Map<Numbered, Long> goesBy, List<Instant> times, int mergesPerHour) {
        if (claim.person().kind().equals(Person.USER) || goesBy.containsKey(claim.numbered())) {
            return TWO_KNOWN_PEOPLE;
        }
        var since = claim.occurredAt().minus(WINDOW);
        long lately =
                times.stream()
                        .filter(t -> t.isAfter(since) && !t.isAfter(claim.occurredAt()))
                        .count();
        return lately >= mergesPerHour ? TOO_MANY_IDS : null;
    }

    private static PersonMerge row(
            Claim claim, @Nullable String reason, long revision, Instant now) {
        return new PersonMerge(
                claim.person().tenantId(),
                claim.mergeId(),
                reason == null ? PersonMerge.MERGED : PersonMerge.REFUSED,
                reason,
                claim.rule(),
                claim.person().kind(),
                claim.person().id(),
                claim.personNo(),
                claim.userId(),
                claim.userNo(),
                claim.eventId(),
                claim.occurredAt(),
                now,
                null,
                null,
                revision);
    }
}
