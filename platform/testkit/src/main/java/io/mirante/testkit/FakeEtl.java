package io.mirante.testkit;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.platform.messaging.Outgoing;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/** etl's side of a rebuild: a replay of what the test says is in the log, when the test says so. */
public final class FakeEtl extends FakeJobs {

    public FakeEtl() {
        super("/api/v1/etl/replays", "rebuild_id");
    }

    /** Sends events of the log, those of the range that was asked for. */
    public void replay(Mesh mesh, String rebuildId, List<CleanEvent> log) {
        var range = Objects.requireNonNull(asked(rebuildId));
        var start = Instant.parse(range.path("start_time").stringValue());
        var end = Instant.parse(range.path("end_time").stringValue());
        mesh.sendAll(
                log.stream()
                        .filter(e ->
                                !e.occurredAt().isBefore(start) && e.occurredAt().isBefore(end))
                        .map(e ->
                                new Outgoing(
                                        Topics.EVENTS_REPLAY.name(),
                                        null,
                                        Keys.of(e.tenantId(), String.valueOf(e.personId())),
                                        Json.mapper().writeValueAsBytes(e),
                                        Map.of(
                                                CloudHeaders.TENANT,
                                                e.tenantId(),
                                                CloudHeaders.TYPE,
                                                e.eventType(),
                                                CloudHeaders.REBUILD_ID,
                                                rebuildId)))
                        .toList());
    }

    /** Says on every partition that the replay has ended. */
    public static void end(Mesh mesh, ReplayEnded ended) {
        mesh.sendAll(
                IntStream.range(0, Topics.PARTITIONS)
                        .mapToObj(partition ->
                                new Outgoing(
                                        Topics.EVENTS_REPLAY.name(),
                                        partition,
                                        Keys.of(ended.tenantId(), ended.rebuildId()),
                                        Json.mapper().writeValueAsBytes(ended),
                                        Map.of(
                                                CloudHeaders.TENANT,
                                                ended.tenantId(),
                                                CloudHeaders.TYPE,
                                                ReplayEnded.TYPE,
                                                CloudHeaders.REBUILD_ID,
                                                ended.rebuildId())))
                        .toList());
    }
}
