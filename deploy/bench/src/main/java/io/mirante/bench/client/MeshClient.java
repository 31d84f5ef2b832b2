package io.mirante.bench.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/**
 * The routes of the contract that a demo and a test need, through the gateway. Blocking; thread-safe; meant for virtual
 * threads.
 */
public final class MeshClient implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int PAGE = 500;

    private final URI base;
    private final String key;
    private final Duration timeout;
    private final HttpClient http;

    /**
     * @param base of the gateway, such as {@code http://127.0.0.1:3000}
     * @param key sent as {@code x-api-key}
     */
    public MeshClient(URI base, String key) {
        this(base, key, TIMEOUT);
    }

    /**
     * @param base of the gateway, such as {@code http://127.0.0.1:3000}
     * @param key sent as {@code x-api-key}
     * @param timeout how long an answer may take
     */
    public MeshClient(URI base, String key, Duration timeout) {
        this.base = base;
        this.key = key;
        this.timeout = timeout;
        this.http =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(3))
                        .executor(Executors.newVirtualThreadPerTaskExecutor())
                        .build();
    }

    public URI base() {
        return base;
    }

    public String key() {
        return key;
    }

    // --- plain calls
    // ------------------------------------------------------------------------------------------------

    /** GET; retries for a while when a part of the mesh is busy or down. */
    public Answer get(String path) {
        return patiently(() -> exchange("GET", path, null, false));
    }

    /** POST of an object as JSON; retries like {@link #get}. */
    public Answer post(String path, Object body) {
        byte[] json = JSON.writeValueAsBytes(body);
        return patiently(() -> exchange("POST", path, json, false));
    }

    public Answer delete(String path) {
        return patiently(() -> exchange("DELETE", path, null, false));
    }

    /**
     * One attempt, no retry.
     *
     * @throws UncheckedIOException when no answer came: nothing is known about what the mesh did
     */
    public Answer exchange(String method, String path, byte @Nullable [] json, boolean gzip) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(base.resolve(path))
                        .timeout(timeout)
                        .header("x-api-key", key);
        if (json == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.header("content-type", "application/json");
            if (gzip) {
                request.header("content-encoding", "gzip");
            }
            request.method(method, HttpRequest.BodyPublishers.ofByteArray(gzip ? zip(json) : json));
        }
        try {
            HttpResponse<byte[]> response =
                    http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            String text = new String(response.body(), StandardCharsets.UTF_8);
            return new Answer(
                    response.statusCode(),
                    parse(text),
                    text,
                    retryAfter(response.headers().firstValue("retry-after").orElse("0")),
                    response.headers().firstValue("location").orElse(""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted");
        }
    }

    // --- what the contract offers
    // -----------------------------------------------------------------------------------

    /** Whether every service says it is ready. */
    public boolean ready() {
        try {
            return exchange("GET", "/health/ready", null, false).status() == 200;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /** {@code /analytics/overview} over a time range. */
    public JsonNode overview(Instant from, Instant to) {
        return get("/api/v1/analytics/overview?start_time=" + from + "&end_time=" + to)
                .required("overview")
                .body();
    }

    /** All windows of a scope in a time range, page after page. */
    public List<JsonNode> snapshots(String scope, String granularity, Instant from, Instant to) {
        String path =
                "/api/v1/snapshots?scope=%s&granularity=%s&start_time=%s&end_time=%s"
                        .formatted(scope, granularity, from, to);
        return all(path);
    }

    /** A list route's items, following the cursor to its end. */
    public List<JsonNode> all(String path) {
        List<JsonNode> items = new ArrayList<>();
        String cursor = "";
        do {
            String page = path + (path.contains("?") ? "&" : "?") + "limit=" + PAGE;
            if (!cursor.isEmpty()) {
                page += "&cursor=" + URLEncoder.encode(cursor, StandardCharsets.UTF_8);
            }
            JsonNode body = get(page).required("GET " + path).body();
            body.path("items").forEach(items::add);
            cursor = body.path("next_cursor").asString("");
        } while (!cursor.isEmpty());
        return items;
    }

    /** A sequential funnel over event types, window P14D; null times ask for everything. */
    public JsonNode funnel(List<String> types, @Nullable Instant from, @Nullable Instant to) {
        return post("/api/v1/analytics/funnel", funnelRequest(types, from, to))
                .required("funnel")
                .body();
    }

    /** The body {@link #funnel} sends. */
    public static Map<String, Object> funnelRequest(
            List<String> types, @Nullable Instant from, @Nullable Instant to) {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("funnel_name", "Shop");
        if (from != null) {
            request.put("start_time", from.toString());
        }
        if (to != null) {
            request.put("end_time", to.toString());
        }
        request.put("window", "P14D");
        request.put("order", "sequential");
        request.put(
                "steps",
                types.stream()
                        .map(type ->
                                Map.of(
                                        "name", type,
                                        "condition_type", type,
                                        "condition_value", ""))
                        .toList());
        return request;
    }

    /** RFM and cluster of a user, at an instant or now. */
    public Answer segment(String userId, @Nullable Instant at) {
        String path = "/api/v1/users/" + userId + "/segment" + (at == null ? "" : "?at=" + at);
        return get(path);
    }

    public JsonNode job(String id) {
        return get("/api/v1/jobs/" + id).required("job " + id).body();
    }

    /** A counter's sum over all services and labels, from the gateway's {@code /metrics}; 0 when there is none. */
    public double metric(String name) {
        String text = get("/metrics").required("/metrics").text();
        double sum = 0;
        for (String line : text.split("\n")) {
            if (line.startsWith(name)
                    && (line.charAt(name.length()) == '{' || line.charAt(name.length()) == ' ')) {
                sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
            }
        }
        return sum;
    }

    /** The oldest instant such that everything accepted before it is counted, as an answer states it. */
    public static Instant asOf(JsonNode answer) {
        String text = answer.path("as_of").asString("");
        return text.isEmpty() ? Instant.EPOCH : Instant.parse(text);
    }

    /** A number that an answer gives as text or number; zero when it is not there. */
    public static BigDecimal decimal(JsonNode node) {
        String text = node.asString("");
        return text.isEmpty() ? BigDecimal.ZERO : new BigDecimal(text);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }

    // --- inside
    // -----------------------------------------------------------------------------------------------------

    /** Up to a minute of patience with parts that are down or starting. */
    private static Answer patiently(Supplier<Answer> call) {
        return patiently(call, Duration.ofSeconds(60), ignored -> {});
    }

    /** Calls until the answer is final or patience ends, honouring Retry-After. */
    static Answer patiently(Supplier<Answer> call, Duration patience, Consumer<String> onRetry) {
        Instant giveUp = Instant.now().plus(patience);
        while (true) {
            String why;
            Duration wait = Duration.ofMillis(250);
            try {
                Answer answer = call.get();
                if (!answer.transientFailure() || Instant.now().isAfter(giveUp)) {
                    return answer;
                }
                why = answer.summary();
                if (answer.retryAfter().compareTo(wait) > 0) {
                    wait = answer.retryAfter();
                }
            } catch (UncheckedIOException e) {
                if (Instant.now().isAfter(giveUp)) {
                    throw new MeshException("the mesh does not answer: " + e.getCause(), e);
                }
                why = String.valueOf(e.getCause());
            }
            onRetry.accept(why);
            pause(wait);
        }
    }

    static void pause(Duration wait) {
        try {
            Thread.sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MeshException("interrupted", e);
        }
    }

    private static JsonNode parse(String text) {
        if (text.isEmpty()) {
            return MissingNode.getInstance();
        }
        try {
            return JSON.readTree(text);
        } catch (JacksonException e) {
            return MissingNode.getInstance();
        }
    }

    private static Duration retryAfter(String header) {
        try {
            return Duration.ofSeconds(Math.clamp(Long.parseLong(header.strip()), 0, 30));
        } catch (NumberFormatException e) {
            return Duration.ofSeconds(1);
        }
    }

    private static byte[] zip(byte[] plain) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(plain.length / 6);
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
