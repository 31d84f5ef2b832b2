package io.mirante.etl.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.etl.RawRecords;
import io.mirante.etl.log.SortedPoll.Identity;
import io.mirante.etl.log.SortedPoll.Sorted;
import io.mirante.etl.log.SortedPoll.Verdict;
import io.mirante.platform.messaging.Position;
import io.mirante.platform.messaging.Received;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SortedPollTest {

    private static final Instant NOW = Instant.parse("2026-11-20T10:00:00Z");

    @Test
    void aNewIdIsKept() {
        var record = record("a", "/", 7);
        var poll = SortedPoll.of(List.of(record), Set.of(record.position()), Map.of());
        assertThat(poll.fresh()).extracting(Sorted::received).containsExactly(record);
        assertThat(poll.kept()).hasSize(1);
        assertThat(poll.repeats()).isEmpty();
    }

    @Test
    void theSamePositionIsARedeliveryWhichIsPublishedButNotStored() {
        var record = record("a", "/", 7);
        var poll =
                SortedPoll.of(
                        List.of(record), Set.of(), Map.of(record.value().key(), identity(record)));
        assertThat(poll.fresh()).isEmpty();
        assertThat(poll.kept()).hasSize(1).allMatch(Sorted::again);
        assertThat(poll.repeats()).isEmpty();
    }

    @Test
    void anotherPositionIsADuplicateOrAConflictByContent() {
        var first = record("a", "/", 7);
        var same = record("a", "/", 8);
        var other = record("a", "/other", 9);
        var poll =
                SortedPoll.of(
                        List.of(same, other),
                        Set.of(),
                        Map.of(first.value().key(), identity(first)));
        assertThat(poll.records())
                .extracting(Sorted::verdict)
                .containsExactly(Verdict.DUPLICATE, Verdict.CONFLICT);
        assertThat(poll.kept()).isEmpty();
    }

    @Test
    void theSamePositionInATopicMadeAnewIsADuplicateOrAConflict() {
        var first = record("a", "/", 7);
        var later = NOW.plusSeconds(60);
        var poll =
                SortedPoll.of(
                        List.of(record("a", "/", 7, later), record("a", "/other", 7, later)),
                        Set.of(),
                        Map.of(first.value().key(), identity(first)));
        assertThat(poll.records())
                .extracting(Sorted::verdict)
                .containsExactly(Verdict.DUPLICATE, Verdict.CONFLICT);
        assertThat(poll.kept()).isEmpty();
    }

    @Test
    void withinOnePollTheFirstCountsAndOrderStays() {
        var first = record("a", "/", 1);
        var between = record("b", "/", 2);
        var again = record("a", "/", 3);
        var poll =
                SortedPoll.of(
                        List.of(first, between, again),
                        Set.of(first.position(), between.position()),
                        Map.of(first.value().key(), identity(first)));
        assertThat(poll.records())
                .extracting(Sorted::verdict)
                .containsExactly(Verdict.KEPT, Verdict.KEPT, Verdict.DUPLICATE);
    }

    @Test
    void aRepetitionRecordedBeforeCountsAsRedelivered() {
        var first = record("a", "/", 1);
        var known = record("a", "/", 2);
        var fresh = record("a", "/", 3);
        var poll =
                SortedPoll.of(
                                List.of(known, fresh),
                                Set.of(),
                                Map.of(first.value().key(), identity(first)))
                        .withRecorded(Set.of(fresh.position()));
        assertThat(poll.records()).extracting(Sorted::again).containsExactly(true, false);
    }

    @Test
    void anIdThatIsNeitherNewNorKnownIsABug() {
        assertThatThrownBy(() -> SortedPoll.of(List.of(record("a", "/", 1)), Set.of(), Map.of()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("a");
    }

    private static Identity identity(Received<RawEvent> record) {
        return new Identity(
                record.position(), record.value().receivedAt(), record.value().contentHash());
    }

    private static Received<RawEvent> record(String id, String url, long offset) {
        return record(id, url, offset, NOW);
    }

    private static Received<RawEvent> record(
            String id, String url, long offset, Instant receivedAt) {
        var event = RawRecords.event(id, "page_view", "web", "u", NOW, "{\"url\":\"" + url + "\"}");
        return new Received<>(
                new RawEvent("t", event.contentHash(), receivedAt, "/http", event, event, null),
                new Position("mirante.events.raw", 3, offset),
                null,
                NOW,
                null);
    }
}
