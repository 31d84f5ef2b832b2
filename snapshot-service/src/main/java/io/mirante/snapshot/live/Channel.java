package io.mirante.snapshot.live;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What can be subscribed to, and the topic it comes from. */
enum Channel {
    EVENTS(Topics.EVENTS_CLEAN),
    METRICS(Topics.SNAPSHOTS),
    ALERTS(Topics.ALERTS);

    private final Topic topic;
    private final String wireName = name().toLowerCase(Locale.ROOT);

    Channel(Topic topic) {
        this.topic = topic;
    }

    Topic topic() {
        return topic;
    }

    String wireName() {
        return wireName;
    }

    static Optional<Channel> find(String wireName) {
        return Stream.of(values()).filter(c -> c.wireName.equals(wireName)).findFirst();
    }
}
