package io.mirante.snapshot.live;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Scopes;
import io.mirante.snapshot.SnapshotSettings;
import io.swagger.v3.oas.annotations.Operation;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.socket.WebSocketMessage;
import org.springframework.web.reactive.socket.WebSocketSession;
import org.springframework.web.reactive.socket.server.support.HandshakeWebSocketService;
import org.springframework.web.reactive.socket.server.upgrade.ReactorNettyRequestUpgradeStrategy;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.WebsocketServerSpec;

/** The live feed over WebSocket. */
@RestController
class LiveController {

    private static final int MAX_MESSAGE_BYTES = 64 * 1024;

    private final LiveFeed feed;
    private final int buffer;
    private final HandshakeWebSocketService upgrade =
            new HandshakeWebSocketService(
                    new ReactorNettyRequestUpgradeStrategy(() ->
                            WebsocketServerSpec.builder()
                                    .maxFramePayloadLength(MAX_MESSAGE_BYTES)));

    LiveController(LiveFeed feed, SnapshotSettings settings) {
        this.feed = feed;
        this.buffer = settings.liveBuffer();
    }

    @GetMapping("/ws")
    @PreAuthorize(Scopes.VIEW)
    @Operation(
            summary = "Live feed (WebSocket)",
            description =
                    "Send {\"type\": \"Subscribe\", \"payload\": {\"channels\": [\"events\", \"metrics\", \"alerts\"],"
                            + " \"filters\": {}, \"last_id\": null}}; frames are {\"channel\", \"id\", \"data\"}. Filters:"
                            + " event_types, user_ids, scopes, granularities, each a list. Subscribed says whether last_id"
                            + " was still known (resumed). A reader that is too slow gets {\"type\": \"Dropped\","
                            + " \"count\": n}.")
    Mono<Void> live(Caller caller, ServerWebExchange exchange) {
        return upgrade.handleRequest(exchange, session -> serve(caller.tenant(), session));
    }

    private Mono<Void> serve(String tenant, WebSocketSession session) {
        var socket = new LiveSocket(tenant, feed, buffer);
        feed.open(socket);
        var incoming =
                session.receive()
                        .filter(m -> m.getType() == WebSocketMessage.Type.TEXT)
                        .map(WebSocketMessage::getPayloadAsText)
                        .doOnNext(socket::receive)
                        .then();
        var outgoing = session.send(socket.frames().map(session::textMessage));
        return Mono.firstWithSignal(incoming, outgoing).doFinally(end -> feed.close(socket));
    }
}
