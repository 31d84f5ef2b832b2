package io.mirante.etl.log;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.etl.log.Replays.LoggedEvent;
import io.mirante.platform.jobs.JobContext;
import io.mirante.platform.jobs.JobHandler;
import io.mirante.platform.messaging.EventSender;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.tenants.Tenants;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * The job {@code event_replay}: sends a range of the log to {@code mirante.events.replay}, and then to each partition that
 * it has ended. It remembers after each chunk how far it is and goes on from there after a crash, so the last chunk may
 * come twice. Whatever was in the log before the job began is sent; what is stored meanwhile may be.
 */
@Component
final class ReplayEvents implements JobHandler {

    static final String KIND = "event_replay";

    /** An event may have a mebibyte. */
    private static final int CHUNK = 200;

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Replays replays;
    private final EventSender sender;
    private final Tenants tenants;
    private final Clock clock;

    ReplayEvents(Replays replays, EventSender sender, Tenants tenants, Clock clock) {
        this.replays = replays;
        this.sender = sender;
        this.tenants = tenants;
        this.clock = clock;
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public JsonNode run(JobContext context) {
        var tenant = context.tenant();
        var rebuildId = context.payload().path("rebuild_id").stringValue();
        var replay = await(replays.find(tenant, rebuildId));
        var extent = await(replays.extent(tenant, replay.startsAt(), replay.endsAt()));
        var cursor = replay.after();
        long events = replay.events();
        while (true) {
            var chunk = await(replays.next(tenant, cursor, replay.endsAt(), CHUNK));
            if (chunk.isEmpty()) {
                break;
            }
            send(chunk.stream().map(e -> record(e, rebuildId)).toList());
            events += chunk.size();
            cursor = chunk.getLast().cursor();
            await(replays.sentUpTo(tenant, rebuildId, cursor, events).thenReturn(true));
            context.progress(done(extent, cursor.occurredAt()), events + " events sent");
        }
        var ended = new ReplayEnded(tenant, rebuildId, events, logBeginsAt(tenant));
        send(
                IntStream.range(0, Topics.EVENTS_REPLAY.partitions())
                        .mapToObj(partition -> record(ended, partition))
                        .toList());
        return Json.mapper().createObjectNode().put("events", events);
    }

    /** The shortest of the periods counts, since each may have been that of any event. */
    private @Nullable Instant logBeginsAt(String tenant) {
        var retention = tenants.settings(tenant).retention();
        var now = clock.instant().atZone(ZoneOffset.UTC);
        var kept =
                Stream.concat(
                                Stream.of(retention.rawEvents(), retention.csat()),
                                retention.modules().values().stream())
                        .map(period -> now.minus(period).toInstant())
                        .max(Comparator.naturalOrder())
                        .orElseThrow();
        return replays.oldest(tenant)
                .map(oldest -> oldest.isAfter(kept) ? oldest : kept)
                .blockOptional(LIMIT)
                .orElse(null);
    }

    private void send(List<Outgoing> records) {
        await(sender.sendAll(records).thenReturn(true));
    }

    private static <T> T await(Mono<T> answer) {
        return Objects.requireNonNull(answer.block(LIMIT));
    }

    /** [0, 1): the share of the time between the first event and the last. */
    private static double done(List<Instant> extent, Instant at) {
        if (extent.isEmpty()) {
            return 0;
        }
        var first = extent.getFirst();
        double whole = Duration.between(first, extent.getLast()).toMillis() + 1.0;
        return Math.clamp(Duration.between(first, at).toMillis() / whole, 0, 0.999);
    }

    private static Outgoing record(LoggedEvent logged, String rebuildId) {
        var event = logged.event();
        var headers =
                CleanRecords.headers(
                        event, logged.source(), logged.schemaVersion(), event.personId());
        headers.put(CloudHeaders.REBUILD_ID, rebuildId);
        // Whose event it is can no longer be told from the key of an erased person's; order among
        // them is not needed.
        byte[] key =
                logged.partitionKey().isEmpty()
                        ? Keys.of(event.tenantId(), event.eventId())
                        : logged.partitionKey().getBytes(StandardCharsets.UTF_8);
        return new Outgoing(
                Topics.EVENTS_REPLAY.name(),
                null,
                key,
                Json.mapper().writeValueAsBytes(event),
                headers);
    }

    private static Outgoing record(ReplayEnded ended, int partition) {
        var headers =
                Map.of(
                        CloudHeaders.SPEC_VERSION,
                        "1.0",
                        CloudHeaders.ID,
                        ended.rebuildId() + "/" + partition,
                        CloudHeaders.TYPE,
                        ReplayEnded.TYPE,
                        CloudHeaders.SOURCE,
                        "/etl",
                        CloudHeaders.TENANT,
                        ended.tenantId(),
                        CloudHeaders.REBUILD_ID,
                        ended.rebuildId());
        return new Outgoing(
                Topics.EVENTS_REPLAY.name(),
                partition,
                Keys.of(ended.tenantId(), ended.rebuildId()),
                Json.mapper().writeValueAsBytes(ended),
                headers);
    }
}
