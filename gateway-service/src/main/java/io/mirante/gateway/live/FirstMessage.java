package io.mirante.gateway.live;

import io.mirante.contracts.Json;
import io.mirante.gateway.keys.PresentedKey;
import org.jspecify.annotations.Nullable;
import org.springframework.web.reactive.socket.WebSocketMessage;
import tools.jackson.core.JacksonException;

/** The message by which a socket shows its key: {@code {"type": "Authenticate", "payload": {"api_key": "…"}}}. */
final class FirstMessage {

    private FirstMessage() {}

    /** Hex SHA-256 of the key it holds; null when the message is anything else. */
    static @Nullable String keyHashOf(WebSocketMessage message) {
        return message.getType() == WebSocketMessage.Type.TEXT
                ? keyHashOf(message.getPayloadAsText())
                : null;
    }

    /** The same for its text. */
    static @Nullable String keyHashOf(String text) {
        try {
            var message = Json.mapper().readTree(text);
            var key = message.path("payload").path("api_key");
            return message.path("type").asString("").equals("Authenticate") && key.isString()
                    ? PresentedKey.hashOf(key.stringValue())
                    : null;
        } catch (JacksonException e) {
            return null;
        }
    }
}
