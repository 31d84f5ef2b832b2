package io.mirante.platform.rebuild;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.OfPerson;
import io.mirante.contracts.etl.CleanEvent;
import io.mirante.contracts.etl.ReplayEnded;
import io.mirante.platform.messaging.CleanEvents;
import io.mirante.platform.messaging.Headers;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.PoisonException;
import io.mirante.platform.messaging.Received;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Counts replayed events into the second generation of the rebuild they were sent for; those of no other. */
final class StoreReplayedEvents {

    private static final Parser<ReplayEnded> ENDED = Parser.json(ReplayEnded.class);

    private final Rebuilds rebuilds;

    StoreReplayedEvents(Rebuilds rebuilds) {
        this.rebuilds = rebuilds;
    }

    /** A record of {@code mirante.events.replay}. */
    sealed interface Replayed {
        String tenantId();

        String rebuildId();
    }

    record Event(String rebuildId, CleanEvent clean) implements Replayed, OfPerson<Event> {
        @Override
        public String tenantId() {
            return clean.tenantId();
        }

        @Override
        public @Nullable String userId() {
            return clean.userId();
        }

        @Override
        public long personNo() {
            return clean.personNo();
        }

        @Override
        public Instant knownAt() {
            return clean.knownAt();
        }

        @Override
        public Event withoutPerson() {
            return new Event(rebuildId, clean.withoutPerson());
        }
    }

    record End(ReplayEnded ended) implements Replayed {
        @Override
        public String tenantId() {
            return ended.tenantId();
        }

        @Override
        public String rebuildId() {
            return ended.rebuildId();
        }
    }

    static Replayed parse(byte[] value, Headers headers) throws PoisonException {
        return ReplayEnded.TYPE.equals(headers.get(CloudHeaders.TYPE))
                ? new End(ENDED.parse(value, headers))
                : new Event(
                        headers.require(CloudHeaders.REBUILD_ID),
                        CleanEvents.parser().parse(value, headers));
    }

    Mono<Void> store(List<Received<Replayed>> fresh, DatabaseClient stream) {
        var tenants = fresh.stream().map(received -> received.value().tenantId()).toList();
        return rebuilds.running(tenants, stream).flatMap(running -> store(fresh, running, stream));
    }

    private Mono<Void> store(
            List<Received<Replayed>> fresh,
            Map<String, Rebuilds.Running> running,
            DatabaseClient stream) {
        var events = new ArrayList<CleanEvent>();
        var ends = new ArrayList<Mono<Void>>();
        for (var received : fresh) {
            var rebuild = running.get(received.value().tenantId());
            if (rebuild == null || !rebuild.rebuildId().equals(received.value().rebuildId())) {
                continue;
            }
            switch (received.value()) {
                case Event event -> events.add(event.clean());
                case End end ->
                        ends.add(
                                Rebuilds.end(received.position().partition(), end.ended(), stream));
            }
        }
        return rebuilds.add(events, running, stream).then(Flux.concat(ends).then());
    }
}
