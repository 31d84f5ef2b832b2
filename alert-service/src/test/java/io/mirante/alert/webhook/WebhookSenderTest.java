package io.mirante.alert.webhook;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.alert.Receiver;
import io.mirante.platform.outbound.Destinations;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class WebhookSenderTest {

    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

    private static Outcome send(String url, String... allowed) {
        try (var sender =
                new WebhookSender(new Destinations(List.of(allowed), "WEBHOOK_ALLOWED_HOSTS"))) {
            return Objects.requireNonNull(
                    sender.send(
                                    new Delivery(
                                            "msg_1",
                                            "rcp_1",
                                            url,
                                            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                            "{\"a\":\"ü\"}",
                                            1,
                                            NOW),
                                    NOW)
                            .block(Duration.ofSeconds(30)));
        }
    }

    @Test
    void sendsWhatStandardWebhooksAskFor() {
        try (var receiver = new Receiver(Receiver.status(204))) {
            assertThat(send(receiver.url(), "127.0.0.1"))
                    .isEqualTo(new Outcome.Delivered("HTTP 204"));
            var request = receiver.requests().getFirst();
            assertThat(request.method()).isEqualTo("POST");
            assertThat(request.body()).isEqualTo("{\"a\":\"ü\"}");
            assertThat(request.header("content-type")).isEqualTo("application/json");
            assertThat(request.header("webhook-id")).isEqualTo("msg_1");
            assertThat(request.header("webhook-timestamp"))
                    .isEqualTo(Long.toString(NOW.getEpochSecond()));
            assertThat(request.header("webhook-signature"))
                    .isEqualTo(
                            Signature.of(
                                    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                    "msg_1",
                                    NOW,
                                    "{\"a\":\"ü\"}"));
        }
    }

    @Test
    void connectsToNoPrivateAddressHoweverItIsWritten() {
        try (var canary = new Receiver(Receiver.status(204))) {
            for (var host :
                    List.of("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1")) {
                var outcome = send("http://" + host + ":" + canary.port() + "/hook");
                assertThat(outcome).as(host).isInstanceOf(Outcome.Failed.class);
                assertThat(outcome.answer()).as(host).contains("not a public address");
            }
            assertThat(canary.requests()).isEmpty();
        }
    }

    @Test
    void followsNoRedirect() {
        try (var canary = new Receiver(Receiver.status(204));
                var receiver =
                        new Receiver(exchange -> {
                            exchange.getResponseHeaders().set("location", canary.url());
                            exchange.sendResponseHeaders(307, -1);
                        })) {
            assertThat(send(receiver.url(), "127.0.0.1"))
                    .isEqualTo(new Outcome.Failed("HTTP 307: redirects are not followed"));
            assertThat(receiver.requests()).hasSize(1);
            assertThat(canary.requests()).isEmpty();
        }
    }

    @Test
    void readsNoBodyHoweverLong() {
        try (var receiver =
                new Receiver(exchange -> {
                    exchange.sendResponseHeaders(200, 0);
                    var chunk = new byte[64 * 1024];
                    try {
                        while (true) {
                            exchange.getResponseBody().write(chunk);
                        }
                    } catch (IOException e) {
                        return; // the sender hung up
                    }
                })) {
            assertThat(send(receiver.url(), "127.0.0.1"))
                    .isEqualTo(new Outcome.Delivered("HTTP 200"));
        }
    }

    @Test
    void tellsGoneAndFailedApart() {
        try (var receiver = new Receiver(Receiver.status(410))) {
            assertThat(send(receiver.url(), "127.0.0.1")).isInstanceOf(Outcome.Gone.class);
            receiver.answers(Receiver.status(500));
            assertThat(send(receiver.url(), "127.0.0.1")).isEqualTo(new Outcome.Failed("HTTP 500"));
            assertThat(receiver.requests()).hasSize(2);
        }
        var dead = new Receiver(Receiver.status(204));
        var url = dead.url();
        dead.close();
        assertThat(send(url, "127.0.0.1")).isInstanceOf(Outcome.Failed.class);
    }
}
