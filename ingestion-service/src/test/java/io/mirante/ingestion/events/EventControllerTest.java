package io.mirante.ingestion.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.hamcrest.Matchers.containsString;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.log.Logs;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.WebTestClient;

class EventControllerTest {

    private static final String GOOD =
            "{\"event_id\": \"%s\", \"user_id\": \"u1\", \"event_type\": \"login\"}";
    private static final String NOBODY = "{\"event_id\": \"%s\", \"event_type\": \"login\"}";

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final MockProducer<byte[], byte[]> single = Logs.acknowledging();
    private final MockProducer<byte[], byte[]> batch = Logs.acknowledging();
    private final WebTestClient client = Slice.client(new EventLog(single, batch), meters);

    @Test
    void oneEventIsAcceptedWithTheIdItCameWithOrAMadeOne() {
        post("/api/v1/events", "{\"event\": " + GOOD.formatted("e1") + "}")
                .expectStatus()
                .isAccepted()
                .expectBody()
                .json("{\"event_id\": \"e1\", \"status\": \"accepted\"}");
        post("/api/v1/events", "{\"event\": {\"user_id\": \"u\", \"event_type\": \"login\"}}")
                .expectStatus()
                .isAccepted()
                .expectBody()
                .jsonPath("$.event_id")
                .isNotEmpty();
        assertThat(single.history()).hasSize(2);
        assertThat(single.history().getFirst().topic()).isEqualTo("mirante.events.raw");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/events | [] | 400 | '' | wrong_type",
                "/events | {} | 400 | /event | required",
                "/events | {\"event\": 5} | 400 | /event | wrong_type",
                "/events | {\"event\": {}, \"x\": 1} | 400 | /x | unknown_field",
                "/events | {\"a/b~\": {}, \"event\": {}, \"x\": 1} | 400 | /a~1b~0 | unknown_field",
                "/events | {\"evnt\": {}} | 400 | /evnt | unknown_field",
                "/events | {\"event\": {\"user_id\": \"u\"}} | 400 | /event/event_type | required",
                "/events/batch | {} | 400 | /events | required",
                "/events/batch | {\"events\": {}} | 400 | /events | wrong_type",
                "/events/batch | {\"events\": []} | 400 | /events | required",
                "/events/batch | {\"events\": [1,]} | 400 | '' | invalid_json",
            })
    void aBodyOfAnotherShapeIsRefusedWithPointerAndCode(
            String path, String body, int status, String pointer, String code) {
        post("/api/v1" + path, body)
                .expectStatus()
                .isEqualTo(status)
                .expectHeader()
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo(pointer.equals("''") ? "" : pointer)
                .jsonPath("$.errors[0].code")
                .isEqualTo(code);
    }

    @Test
    void badJsonNamesLineAndColumn() {
        post("/api/v1/events", "{\n  \"event\": {}\n,}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].code")
                .isEqualTo("invalid_json")
                .jsonPath("$.detail")
                .value(containsString("line 3, column"));
        assertThat(counted()).as("no events in it").isZero();
        post("/api/v1/events", "{\"event\":\n{\n\"a\": nope}}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].pointer")
                .isEqualTo("/event")
                .jsonPath("$.errors[0].code")
                .isEqualTo("invalid_json")
                .jsonPath("$.detail")
                .value(containsString("its line 2, column"));
        assertThat(counted()).as("kept as rejected").isEqualTo(1);
    }

    @Test
    void otherEncodingsAreRefusedNotGuessed() {
        var json = "{\"event\": " + GOOD.formatted("e1") + "}";
        refused(json.getBytes(StandardCharsets.UTF_16), 400);
        refused(json.getBytes(StandardCharsets.UTF_16LE), 400);
        refused(("\uFEFF" + json).getBytes(StandardCharsets.UTF_8), 400);
        refused("{\"event\": \"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1), 400);
        refused(new byte[0], 400);
        client.post()
                .uri("/api/v1/events")
                .contentType(MediaType.TEXT_PLAIN)
                .bodyValue(json)
                .exchange()
                .expectStatus()
                .isEqualTo(415);
        client.post()
                .uri("/api/v1/events")
                .contentType(MediaType.APPLICATION_JSON)
                .header("Content-Encoding", "br")
                .bodyValue(json)
                .exchange()
                .expectStatus()
                .isEqualTo(415);
    }

    private void refused(byte[] body, int status) {
        client.post()
                .uri("/api/v1/events")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange()
                .expectStatus()
                .isEqualTo(status);
    }

    @Test
    void nestingOfTenThousandLevelsIsRefused() {
        var deep = "[".repeat(10_000) + "]".repeat(10_000);
        post("/api/v1/events", "{\"event\": " + deep + "}").expectStatus().isBadRequest();
    }

    @Test
    void aBatchMayHoldFiveThousandEventsButNotOneMore() {
        post("/api/v1/events/batch", batchOf(5000, GOOD)).expectStatus().isOk();
        post("/api/v1/events/batch", batchOf(5001, GOOD)).expectStatus().isEqualTo(413);
        assertThat(batch.history()).hasSize(5000);
    }

    @Test
    void aBodyAboveEightMebibytesIsRefused() {
        var large = "{\"event\": \"" + "x".repeat(8 * 1024 * 1024) + "\"}";
        post("/api/v1/events", large).expectStatus().isEqualTo(413);
    }

    @Test
    void aPackedBodyIsTakenAndABombIsNot() throws IOException {
        var event = ("{\"event\": " + GOOD.formatted("z") + "}").getBytes(StandardCharsets.UTF_8);
        packed("gzip", gzip(event)).expectStatus().isAccepted();
        packed("zstd", Zstd.compress(event)).expectStatus().isAccepted();
        var bomb = new byte[200 * 1024 * 1024];
        packed("gzip", gzip(bomb)).expectStatus().isEqualTo(413);
        packed("zstd", Zstd.compress(bomb)).expectStatus().isEqualTo(413);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "zstd"})
    void aBodyThatIsNotPackedAsItSaysIsRefused(String encoding) throws IOException {
        packed(encoding, "not packed".getBytes(StandardCharsets.UTF_8))
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].code")
                .isEqualTo("bad_encoding");
        var whole = encoding.equals("gzip") ? gzip(new byte[5000]) : Zstd.compress(new byte[5000]);
        packed(encoding, Arrays.copyOf(whole, whole.length - 2)).expectStatus().isBadRequest();
    }

    @Test
    void aZstdWindowThatNeedsMoreMemoryThanABodyMayHaveIsRefused() throws IOException {
        var out = new ByteArrayOutputStream();
        try (var zstd = new ZstdOutputStream(out)) {
            zstd.setLong(27);
            zstd.write(new byte[1000]);
        }
        packed("zstd", out.toByteArray()).expectStatus().isBadRequest();
    }

    private static byte[] gzip(byte[] body) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(body);
        }
        return out.toByteArray();
    }

    private WebTestClient.ResponseSpec packed(String encoding, byte[] body) {
        return client.post()
                .uri("/api/v1/events")
                .contentType(MediaType.APPLICATION_JSON)
                .header("Content-Encoding", encoding)
                .bodyValue(body)
                .exchange();
    }

    @Test
    void aBadEventInABatchHurtsNoOther() {
        var bad =
                List.of(
                        "{\"event_id\": \"d\", \"user_id\": \"u\", \"event_type\": \"x\", \"a\": 1, \"a\": 2}",
                        "{\"event_id\": \"deep\", \"a\": %s}"
                                .formatted("[".repeat(10_000) + "]".repeat(10_000)),
                        "{\"event_id\": \"nul\", \"user_id\": \"\\u0000\", \"event_type\": \"x\"}",
                        "{\"event_id\": \"half\", \"user_id\": \"\\ud800\", \"event_type\": \"x\"}",
                        "{\"event_id\": \"raw\", \"user_id\": \"\u0000\", \"event_type\": \"x\"}",
                        "{\"event_id\": \"digits\", \"user_id\": \"u\", \"event_type\": \"x\", \"n\": %s}"
                                .formatted("1".repeat(2000)),
                        "{\"event_id\": \"far\", \"user_id\": \"u\", \"event_type\": \"x\", \"n\": 1e400}",
                        "{\"event_id\": \"word\", \"n\": nope}",
                        "nope",
                        "null",
                        "[]");
        var body = new StringBuilder("{\"events\": [" + GOOD.formatted("first"));
        bad.forEach(one -> body.append(",").append(one));
        body.append(",").append(GOOD.formatted("last")).append("]}");
        post("/api/v1/events/batch", body.toString())
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .jsonPath("$.accepted")
                .isEqualTo(2)
                .jsonPath("$.rejected")
                .isEqualTo(bad.size())
                .jsonPath("$.results[*].event_id")
                .value(ids ->
                        assertThat((List<?>) ids)
                                .asString()
                                .isEqualTo(
                                        "[\"d\",\"deep\",\"nul\",\"half\",\"raw\",\"digits\",\"far\",\"word\",null,null,null]"));
        assertThat(
                        meters.counter("mirante.ingestion.events.rejected", "reason", "malformed")
                                .count())
                .isEqualTo(bad.size());
        assertThat(batch.history().stream().map(r -> r.topic()))
                .startsWith("mirante.events.raw")
                .endsWith("mirante.events.raw")
                .hasSize(bad.size() + 2);
    }

    @Test
    void theEventsOwnBytesGoOnWhereNothingChanged() {
        post(
                        "/api/v1/events",
                        "{\"event\": {\"event_id\": \"e\", \"user_id\": \"u\", \"event_type\": \"x\", \"payload\": {\"n\":  1.50e1}}}")
                .expectStatus()
                .isAccepted();
        assertThat(new String(single.history().getFirst().value(), StandardCharsets.UTF_8))
                .contains("\"data\":{\"n\":  1.50e1}");
    }

    @Test
    void aClockThatIsTwoHoursAheadIsCorrectedAndTheTimeAsGivenIsKept() {
        var ahead = Instant.now().plus(Duration.ofHours(2));
        post(
                        "/api/v1/events",
                        "{\"event\": {\"event_id\": \"e\", \"user_id\": \"u\", \"event_type\": \"x\", \"timestamp\": \"%s\", \"sent_at\": \"%s\"}}"
                                .formatted(ahead.minusSeconds(60), ahead))
                .expectStatus()
                .isAccepted();
        var event = CanonicalEvent.fromJson(single.history().getFirst().value());
        assertThat(event.occurredAt())
                .isCloseTo(Instant.now().minusSeconds(60), within(30, ChronoUnit.SECONDS));
        assertThat(event.timestampAsGiven()).isEqualTo(ahead.minusSeconds(60).toString());
    }

    @Test
    void aLargeEventAloneIs413AndInABatchRejectedForItsSize() {
        var large =
                "{\"event_id\": \"big\", \"user_id\": \"u\", \"event_type\": \"x\", \"payload\": {\"t\": \"%s\"}}"
                        .formatted("x".repeat(1_000_000));
        post("/api/v1/events", "{\"event\": " + large + "}").expectStatus().isEqualTo(413);
        post("/api/v1/events/batch", "{\"events\": [" + large + ", " + GOOD.formatted("e1") + "]}")
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        """
                        {"accepted": 1, "rejected": 1, "results": [
                          {"index": 0, "event_id": "big", "status": "rejected", "errors": [{"code": "too_large"}]}]}
                        """);
        assertThat(single.history().getFirst().topic()).isEqualTo("mirante.events.rejected");
        assertThat(single.history().getFirst().value()).hasSizeLessThan(100_000);
    }

    @Test
    void theResultsOfABatchHoldWhatWasNotAcceptedOrAllOnRequest() {
        var body =
                "{\"events\": [%s, %s, 7, %s]}"
                        .formatted(
                                GOOD.formatted("a"),
                                NOBODY.formatted("b"),
                                "{\"user_id\": \"u\", \"event_type\": \"login\"}");
        post("/api/v1/events/batch", body)
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        """
                        {"accepted": 1, "rejected": 3, "results": [
                          {"index": 1, "event_id": "b", "status": "rejected", "errors": [{"pointer": "/user_id", "code": "required"}]},
                          {"index": 2, "event_id": null, "status": "rejected"},
                          {"index": 3, "event_id": null, "status": "rejected", "errors": [{"pointer": "/event_id"}]}]}
                        """)
                .jsonPath("$.results.length()")
                .isEqualTo(3);
        post("/api/v1/events/batch?verbose=true", batchOf(3, GOOD))
                .expectStatus()
                .isOk()
                .expectBody()
                .jsonPath("$.results.length()")
                .isEqualTo(3)
                .jsonPath("$.results[2].status")
                .isEqualTo("accepted");
        assertThat(meters.counter("mirante.ingestion.events", "outcome", "accepted").count())
                .isEqualTo(4);
        assertThat(meters.counter("mirante.ingestion.events", "outcome", "rejected").count())
                .isEqualTo(3);
    }

    @Test
    void eventsThatKafkaDidNotTakeAreToBeSentAgainAndEveryEventIsCountedOnce() {
        var some =
                Slice.client(
                        new EventLog(single, Logs.failing("flaky", new TimeoutException())),
                        meters);
        some.post()
                .uri("/api/v1/events/batch")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(
                        "{\"events\": [%s, %s, %s]}"
                                .formatted(
                                        GOOD.formatted("a"),
                                        GOOD.formatted("flaky"),
                                        NOBODY.formatted("c")))
                .exchange()
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        """
                        {"accepted": 1, "rejected": 1, "results": [
                          {"index": 1, "event_id": "flaky", "status": "retry", "errors": []},
                          {"index": 2, "event_id": "c", "status": "rejected"}]}
                        """);
        assertThat(counted()).isEqualTo(3);
    }

    @Test
    void whatKafkaFindsTooLargeIsRejectedNotRetriedForEver() {
        var log =
                new EventLog(
                        Logs.failing("\"event_id\":\"large\",", new RecordTooLargeException()),
                        Logs.failing(
                                "\"event_id\":\"large\",\"event_type\":\"login\",\"module",
                                new RecordTooLargeException()));
        Slice.client(log, meters)
                .post()
                .uri("/api/v1/events/batch")
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(
                        "{\"events\": [%s, %s]}"
                                .formatted(GOOD.formatted("a"), GOOD.formatted("large")))
                .exchange()
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        "{\"accepted\": 1, \"rejected\": 1, \"results\": [{\"index\": 1, \"status\": \"rejected\"}]}");
    }

    @Test
    void withoutKafkaTheAnswerIs503WithinASecondAndSaysWhenToComeBack() {
        try (var log = Logs.unreachable()) {
            var away = Slice.client(log, meters);
            for (var path : new String[] {"/api/v1/events/batch", "/api/v1/events"}) {
                long start = System.nanoTime();
                away.post()
                        .uri(path)
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(
                                path.endsWith("batch")
                                        ? batchOf(5000, GOOD)
                                        : "{\"event\": " + GOOD.formatted("e") + "}")
                        .exchange()
                        .expectStatus()
                        .isEqualTo(503)
                        .expectHeader()
                        .valueEquals("Retry-After", "1")
                        .expectHeader()
                        .contentType(MediaType.APPLICATION_PROBLEM_JSON);
                assertThat(Duration.ofNanos(System.nanoTime() - start))
                        .isLessThan(Duration.ofSeconds(5));
            }
        }
        assertThat(meters.counter("mirante.ingestion.events", "outcome", "retry").count())
                .isEqualTo(5001);
        assertThat(counted()).isEqualTo(5001);
    }

    private static TenantSettings settings(String json) {
        return TenantSettings.defaults("acme").patched(Json.mapper().readTree(json), 1);
    }

    private WebTestClient tenant(String settings) {
        var chosen = settings(settings);
        return Slice.client(new EventLog(single, batch), meters, tenant -> chosen);
    }

    private static WebTestClient.ResponseSpec post(WebTestClient client, String path, String body) {
        return client.post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
    }

    @Test
    void aStrictTenantRefusesUnknownTypesAndFields() {
        var strict = tenant("{\"mode\": \"strict\"}");
        post(strict, "/api/v1/events", "{\"event\": " + GOOD.formatted("e") + "}")
                .expectStatus()
                .isAccepted();
        post(
                        strict,
                        "/api/v1/events",
                        "{\"event\": {\"user_id\": \"u\", \"event_type\": \"made_up\"}}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].code")
                .isEqualTo("unknown_type");
        post(
                        strict,
                        "/api/v1/events",
                        "{\"event\": {\"user_id\": \"u\", \"event_type\": \"login\", \"extra\": 1}}")
                .expectStatus()
                .isBadRequest()
                .expectBody()
                .jsonPath("$.errors[0].code")
                .isEqualTo("unknown_field");
    }

    @Test
    void whatIsOverTheTenantsLimitIsToBeSentAgain() {
        var limited = tenant("{\"limits\": {\"events_per_second\": 3}}");
        post(limited, "/api/v1/events/batch", batchOf(5, GOOD))
                .expectStatus()
                .isEqualTo(207)
                .expectBody()
                .json(
                        """
                        {"accepted": 3, "rejected": 0, "results": [
                          {"index": 3, "event_id": "e3", "status": "retry", "errors": []},
                          {"index": 4, "event_id": "e4", "status": "retry", "errors": []}]}
                        """);
        for (var path : new String[] {"/api/v1/events", "/api/v1/events/batch"}) {
            post(
                            limited,
                            path,
                            path.endsWith("batch")
                                    ? batchOf(2, GOOD)
                                    : "{\"event\": " + GOOD.formatted("e") + "}")
                    .expectStatus()
                    .isEqualTo(429)
                    .expectHeader()
                    .valueEquals("Retry-After", "1");
        }
        assertThat(batch.history()).hasSize(3);
        assertThat(counted()).as("every event is counted once").isEqualTo(8);
    }

    @Test
    void maskingComesBeforeTheHashSoThatARetryIsNoConflict() {
        var event =
                "{\"event\": {\"event_id\": \"e\", \"user_id\": \"u\", \"event_type\": \"x\", \"payload\": {\"email\": \"%s\"}%s}}";
        post("/api/v1/events", event.formatted("Ann@Example.com", "")).expectStatus().isAccepted();
        post(
                        "/api/v1/events",
                        event.formatted(
                                "ann@example.com",
                                ", \"sent_at\": \"2026-11-20T10:00:00Z\", \"context\": {\"a\": 1}"))
                .expectStatus()
                .isAccepted();
        post("/api/v1/events", event.formatted("bob@example.com", "")).expectStatus().isAccepted();
        var hashes =
                single.history().stream()
                        .map(r ->
                                new String(
                                        r.headers().lastHeader("ce_contenthash").value(),
                                        StandardCharsets.UTF_8))
                        .toList();
        assertThat(hashes.get(1)).isEqualTo(hashes.get(0));
        assertThat(hashes.get(2)).isNotEqualTo(hashes.get(0));
        var stored = CanonicalEvent.fromJson(single.history().getFirst().value());
        assertThat(stored.contentHash()).isEqualTo(hashes.get(0));
        assertThat(stored.data().path("email").stringValue()).startsWith("email:");
    }

    private WebTestClient.ResponseSpec post(String path, String body) {
        return client.post()
                .uri(path)
                .contentType(MediaType.APPLICATION_JSON)
                .bodyValue(body)
                .exchange();
    }

    private double counted() {
        return meters.find("mirante.ingestion.events").counters().stream()
                .mapToDouble(c -> c.count())
                .sum();
    }

    private static String batchOf(int n, String event) {
        return IntStream.range(0, n)
                .mapToObj(i -> event.formatted("e" + i))
                .collect(Collectors.joining(",", "{\"events\": [", "]}"));
    }
}
