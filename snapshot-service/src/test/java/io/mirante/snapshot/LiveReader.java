package io.mirante.snapshot;

import io.mirante.contracts.Json;
import java.net.http.WebSocket;
import java.util.List;
import java.util.concurrent.CompletionStage;
import tools.jackson.databind.JsonNode;

/** Collects a WebSocket's frames as they come. */
public class LiveReader implements WebSocket.Listener {

    private final List<JsonNode> frames;
    private final StringBuilder text = new StringBuilder();

    public LiveReader(List<JsonNode> frames) {
        this.frames = frames;
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            frames.add(Json.mapper().readTree(text.toString()));
            text.setLength(0);
        }
        socket.request(1);
        return null;
    }
}
