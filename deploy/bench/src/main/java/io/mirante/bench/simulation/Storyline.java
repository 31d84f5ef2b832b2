package io.mirante.bench.simulation;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes down what one actor does, event after event; ids count up from the storyline's name. Not thread-safe. */
final class Storyline {
    private final String name;
    private final @Nullable String sessionId;
    private final @Nullable Map<String, Object> context;
    private final double pace;
    private final List<SimulatedEvent> events = new ArrayList<>();
    private @Nullable String userId;
    private @Nullable String anonymousId;
    private Instant now;

    /**
     * @param pace 1 plays gaps in full; a larger number shortens them by that factor
     */
    Storyline(
            String name,
            @Nullable String sessionId,
            @Nullable Map<String, Object> context,
            Instant start,
            double pace) {
        this.name = name;
        this.sessionId = sessionId;
        this.context = context;
        this.now = start.truncatedTo(ChronoUnit.MILLIS);
        this.pace = pace;
    }

    Storyline as(@Nullable String user, @Nullable String anonymous) {
        userId = user;
        anonymousId = anonymous;
        return this;
    }

    Storyline pause(Dice dice, double lowSeconds, double highSeconds) {
        long millis = (long) (dice.between(lowSeconds, highSeconds) * 1000 / pace);
        now = now.plus(Duration.ofMillis(Math.max(1, millis)));
        return this;
    }

    Instant now() {
        return now;
    }

    /** Web and commerce clients name the type in PascalCase and nest the data. */
    Storyline web(String type, Map<String, Object> data) {
        Map<String, Object> nested = new LinkedHashMap<>();
        nested.put("type", pascal(type));
        nested.put("data", data);
        return add(type, nested, null);
    }

    /** The support desk names the type as a string and puts the data beside it. */
    Storyline desk(String type, Map<String, Object> payload) {
        return add(type, type, payload);
    }

    List<SimulatedEvent> events() {
        return events;
    }

    private Storyline add(String type, Object eventType, @Nullable Map<String, Object> payload) {
        String id = name + "-" + events.size();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("event_id", id);
        if (userId != null) {
            body.put("user_id", userId);
        }
        if (anonymousId != null) {
            body.put("anonymous_id", anonymousId);
        }
        if (sessionId != null) {
            body.put("session_id", sessionId);
        }
        body.put("timestamp", now.toString());
        body.put("event_type", eventType);
        if (payload != null) {
            body.put("payload", payload);
        }
        if (context != null) {
            body.put("context", context);
        }
        events.add(new SimulatedEvent(now, Fate.VALID, id, type, now, userId, anonymousId, body));
        return this;
    }

    static String pascal(String snake) {
        StringBuilder out = new StringBuilder(snake.length());
        boolean upper = true;
        for (int i = 0; i < snake.length(); i++) {
            char c = snake.charAt(i);
            if (c == '_') {
                upper = true;
            } else {
                out.append(upper ? Character.toUpperCase(c) : c);
                upper = false;
            }
        }
        return out.toString();
    }
}
