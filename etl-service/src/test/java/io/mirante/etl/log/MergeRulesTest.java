package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.mirante.contracts.etl.PersonMerge;
import io.mirante.etl.log.MergeRules.Claim;
import io.mirante.etl.log.MergeRules.Numbered;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class MergeRulesTest {

    private static final Instant AT = Instant.parse("2026-11-20T10:00:00Z");

    @Test
    void theFirstWhoClaimsAVisitorHasThemAndAnotherIsRefused() {
        var rows = decide(List.of(claim(1, 102, 5), claim(1, 101, 3)), List.of());
        assertThat(rows)
                .extracting(PersonMerge::mergeId, PersonMerge::state, PersonMerge::reason)
                .containsExactly(
                        tuple("1-101", "merged", null),
                        tuple("1-102", "refused", "two_known_people"));
        assertThat(rows).extracting(PersonMerge::revision).containsExactly(1L, 2L);
    }

    @Test
    void twoKnownUsersAreNeverOne() {
        var claim = new Claim(new Person("t", Person.USER, "u7"), 7, "u8", 8, "alias", "e", AT);
        assertThat(decide(List.of(claim), List.of()).getFirst().reason())
                .isEqualTo("two_known_people");
    }

    @Test
    void whatWasUndoneStaysApartWhateverIsSaidAgain() {
        var merged = decide(List.of(claim(1, 101, 0)), List.of()).getFirst();
        var undone = with(merged, PersonMerge.UNDONE, 2);
        assertThat(decide(List.of(claim(1, 101, 9)), List.of(undone))).isEmpty();
        // another user may have the visitor now
        var other = decide(List.of(claim(1, 102, 10)), List.of(undone)).getFirst();
        assertThat(other.state()).isEqualTo("merged");
        assertThat(other.revision()).isEqualTo(3);
    }

    @Test
    void aRefusalIsThoughtOverWhenItIsSaidAgainAndItsReasonIsGone() {
        var rows = decide(List.of(claim(1, 101, 0), claim(1, 102, 1)), List.of());
        assertThat(decide(List.of(claim(1, 102, 2)), rows)).as("still refused").isEmpty();
        var undone = with(rows.get(0), PersonMerge.UNDONE, 3);
        var again = decide(List.of(claim(1, 102, 2)), List.of(undone, rows.get(1))).getFirst();
        assertThat(again.state()).isEqualTo("merged");
        assertThat(again.reason()).isNull();
        assertThat(again.revision()).isEqualTo(4);
    }

    @Test
    void aUserTakesInNoMoreVisitorsWithinAnHourThanAPersonWould() {
        var claims = new ArrayList<Claim>();
        for (int i = 0; i < 5; i++) {
            claims.add(claim(i + 1, 101, i));
        }
        claims.add(claim(9, 101, 3_600));
        var rows = MergeRules.decide(claims, List.of(), Map.of(), 3, AT);
        assertThat(rows)
                .extracting(PersonMerge::mergeId, PersonMerge::reason)
                .containsExactly(
                        tuple("1-101", null),
                        tuple("2-101", null),
                        tuple("3-101", null),
                        tuple("4-101", "too_many_ids"),
                        tuple("5-101", "too_many_ids"),
                        tuple("9-101", null));
        var before = Map.of(new Numbered("t", 101), List.of(AT, AT, AT));
        assertThat(
                        MergeRules.decide(List.of(claim(4, 101, 60)), List.of(), before, 3, AT)
                                .getFirst()
                                .reason())
                .isEqualTo("too_many_ids");
    }

    @Test
    void theOrderOfClaimsAndTheirRepetitionChangeNothing() {
        for (int run = 0; run < 200; run++) {
            long seed = System.nanoTime() + run;
            var random = new Random(seed);
            var claims = new ArrayList<Claim>();
            for (int i = 0; i < 30; i++) {
                claims.add(
                        claim(1 + random.nextInt(8), 101 + random.nextInt(5), random.nextInt(20)));
            }
            var first = MergeRules.decide(claims, List.of(), Map.of(), 3, AT);
            var shuffled = new ArrayList<>(claims);
            Collections.shuffle(shuffled, random);
            assertThat(partition(MergeRules.decide(shuffled, List.of(), Map.of(), 3, AT)))
                    .as("seed " + seed)
                    .isEqualTo(partition(first));
            assertThat(MergeRules.decide(shuffled, first, taken(first), 3, AT))
                    .as("again, seed " + seed)
                    .isEmpty();
            // nobody goes by two
            assertThat(
                            first.stream()
                                    .filter(r -> r.state().equals("merged"))
                                    .map(PersonMerge::personNo))
                    .as("seed " + seed)
                    .doesNotHaveDuplicates();
        }
    }

    private static Map<Numbered, List<Instant>> taken(List<PersonMerge> rows) {
        Map<Numbered, List<Instant>> taken = new HashMap<>();
        rows.stream()
                .filter(r -> r.state().equals("merged"))
                .forEach(r ->
                        taken.computeIfAbsent(new Numbered("t", r.userNo()), u -> new ArrayList<>())
                                .add(r.occurredAt()));
        return taken;
    }

    private static Map<Long, TreeSet<Long>> partition(List<PersonMerge> rows) {
        Map<Long, TreeSet<Long>> people = new TreeMap<>();
        rows.stream()
                .filter(r -> r.state().equals("merged"))
                .forEach(r ->
                        people.computeIfAbsent(r.userNo(), u -> new TreeSet<>()).add(r.personNo()));
        return people;
    }

    private static List<PersonMerge> decide(List<Claim> claims, List<PersonMerge> ledger) {
        return MergeRules.decide(claims, ledger, Map.of(), 20, AT);
    }

    private static Claim claim(long visitor, long user, int second) {
        return new Claim(
                new Person("t", Person.ANONYMOUS, "v" + visitor),
                visitor,
                "u" + user,
                user,
                "identify",
                "e-%d-%d-%d".formatted(visitor, user, second),
                AT.plusSeconds(second));
    }

    private static PersonMerge with(PersonMerge row, String state, long revision) {
        return new PersonMerge(
                row.tenantId(),
                row.mergeId(),
                state,
                null,
                row.rule(),
                row.kind(),
                row.id(),
                row.personNo(),
                row.userId(),
                row.userNo(),
                row.eventId(),
                row.occurredAt(),
                row.recordedAt(),
                AT,
                "someone",
                revision);
    }
}
