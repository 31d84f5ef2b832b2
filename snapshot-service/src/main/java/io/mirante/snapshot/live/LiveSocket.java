package io.mirante.snapshot.live;

import io.mirante.contracts.Json;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** One client's side of the live feed: understands its messages, fills its outbox. Thread-safe. */
final class LiveSocket {

    private final String tenant;
    private final LiveFeed feed;
    private final Outbox outbox;
    private volatile @Nullable Subscription subscription;

    /**
     * Not subscribed to anything yet.
     *
     * @param tenant whose records it may see, from the verified token
     * @param buffer frames kept while the client does not read
     */
    LiveSocket(String tenant, LiveFeed feed, int buffer) {
        this.tenant = tenant;
        this.feed = feed;
        this.outbox = new Outbox(buffer);
    }

    String tenant() {
        return tenant;
    }

    Flux<String> frames() {
        return outbox.frames();
    }

    /** A record of the tenant's. */
    void see(LiveRecord record) {
        var wanted = subscription;
        if (wanted != null && wanted.wants(record)) {
            var frame = record.frame();
            if (frame != null) {
                outbox.offer(frame);
            }
        }
    }

    /** From now on this is wanted; the client hears so before the first record. */
    void begin(Subscription wanted, boolean resumed) {
        var payload = Json.mapper().createObjectNode();
        var channels = payload.putArray("channels");
        wanted.channels().stream().sorted().map(Channel::wireName).forEach(channels::add);
        payload.put("resumed", wanted.lastId() != null && resumed);
        send("Subscribed", payload);
        subscription = wanted;
    }

    /** A message of the client's. */
    void receive(String text) {
        try {
            var message = Json.mapper().readTree(text);
            switch (message.path("type").asString("")) {
                case "Subscribe" -> feed.subscribe(this, Subscription.of(message.path("payload")));
                case "Unsubscribe" -> unsubscribe(message.path("payload"));
                case "Ping" -> send("Pong", null);
                case "Authenticate" -> error("the socket is authenticated already");
                default -> error("type must be Subscribe, Unsubscribe or Ping");
            }
        } catch (JacksonException e) {
            error("a message must be a JSON object");
        } catch (Subscription.MalformedException e) {
            error(String.valueOf(e.getMessage()));
        }
    }

    private void unsubscribe(JsonNode payload) throws Subscription.MalformedException {
        var gone = payload.path("channels").isMissingNode() ? null : Subscription.channels(payload);
        var had = subscription;
        var left = had == null || gone == null ? null : had.without(gone);
        subscription = left;
        var answer = Json.mapper().createObjectNode();
        var channels = answer.putArray("channels");
        if (left != null) {
            left.channels().stream()
                    .sorted()
                    .map(Channel::wireName)
                    .collect(Collectors.toList())
                    .forEach(channels::add);
        }
        send("Unsubscribed", answer);
    }

    private void error(String message) {
        var payload = Json.mapper().createObjectNode();
        payload.put("message", message);
        send("Error", payload);
    }

    private void send(String type, @Nullable JsonNode payload) {
        var frame = Json.mapper().createObjectNode();
        frame.put("type", type);
        if (payload != null) {
            frame.set("payload", payload);
        }
        outbox.offer(Json.mapper().writeValueAsString(frame));
    }
}
