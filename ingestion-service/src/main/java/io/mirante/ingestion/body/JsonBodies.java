package io.mirante.ingestion.body;

import io.mirante.contracts.Json;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.platform.web.ProblemException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.zip.GZIPInputStream;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.stereotype.Component;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Reads a request's body as a JSON tree, once: plain or gzip, UTF-8 only, at most {@code maxBodyBytes} packed and
 * unpacked. Small bodies are parsed where they arrive, on the event loop; large or packed ones on a pool of their own,
 * where what follows then stays. Thread-safe.
 *
 * <p>Errors are problems: 400 with line and column for what is not JSON, 413 above the limit, 415 for an encoding that is
 * not known here.
 */
@Component
public final class JsonBodies implements DisposableBean {

    private static final int SMALL_BYTES = 16 * 1024;
    private static final int MAX_WAITING = 1_000;

    private final int maxBytes;
    private final Scheduler workers;

    public JsonBodies(IngestionSettings settings) {
        this.maxBytes = settings.maxBodyBytes();
        this.workers =
                Schedulers.newBoundedElastic(
                        Math.max(2, Runtime.getRuntime().availableProcessors()),
                        MAX_WAITING,
                        "bodies",
                        60,
                        true);
    }

    /** The body as a tree. */
    public Mono<JsonNode> read(ServerHttpRequest request) {
        boolean packed;
        try {
            packed = packed(request.getHeaders());
        } catch (ProblemException e) {
            return Mono.error(e);
        }
        if (request.getHeaders().getContentLength() > maxBytes) {
            return Mono.error(tooLarge());
        }
        return DataBufferUtils.join(request.getBody(), maxBytes)
                .map(JsonBodies::bytes)
                .flatMap(bytes -> place(bytes, packed))
                .map(bytes -> parse(packed ? unpack(bytes) : bytes))
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.malformed("", "required", "the body is empty")));
    }

    private Mono<byte[]> place(byte[] bytes, boolean packed) {
        var here = Mono.just(bytes);
        return packed || bytes.length > SMALL_BYTES ? here.publishOn(workers) : here;
    }

    private static boolean packed(HttpHeaders headers) {
        var encoding = headers.getFirst(HttpHeaders.CONTENT_ENCODING);
        if (encoding == null || encoding.isBlank() || encoding.equalsIgnoreCase("identity")) {
            return false;
        }
        if (encoding.equalsIgnoreCase("gzip")) {
            return true;
        }
        throw ProblemException.of(
                HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported-encoding",
                "Content-Encoding must be gzip or absent");
    }

    private static byte[] bytes(DataBuffer buffer) {
        try {
            var bytes = new byte[buffer.readableByteCount()];
            buffer.read(bytes);
            return bytes;
        } finally {
            DataBufferUtils.release(buffer);
        }
    }

    private byte[] unpack(byte[] packed) {
        try (var in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
            var bytes = in.readNBytes(maxBytes + 1);
            if (bytes.length > maxBytes) {
                throw tooLarge();
            }
            return bytes;
        } catch (IOException e) {
            throw ProblemException.malformed(
                    "", "bad_encoding", "the body is not valid gzip, as Content-Encoding says");
        }
    }

    private ProblemException tooLarge() {
        return ProblemException.tooLarge(
                "the body is larger than " + maxBytes + " bytes; send it in parts");
    }

    /** Parses UTF-8; Jackson alone would also take UTF-16 and UTF-32. */
    static JsonNode parse(byte[] body) {
        if (!utf8(body)) {
            throw ProblemException.malformed(
                    "", "bad_encoding", "the body must be UTF-8 without a byte order mark");
        }
        try {
            var tree = Json.mapper().readTree(body);
            if (tree.isMissingNode()) {
                throw ProblemException.malformed("", "required", "the body is empty");
            }
            return tree;
        } catch (JacksonException e) {
            var at = e.getLocation();
            throw ProblemException.malformed(
                    "",
                    "invalid_json",
                    at == null || at.getLineNr() < 1
                            ? "the body is not valid JSON: " + e.getOriginalMessage()
                            : "the body is not valid JSON at line %d, column %d: %s"
                                    .formatted(
                                            at.getLineNr(),
                                            at.getColumnNr(),
                                            e.getOriginalMessage()));
        }
    }

    private static boolean utf8(byte[] body) {
        for (int i = 0; i < Math.min(4, body.length); i++) {
            if (body[i] == 0) {
                return false;
            }
        }
        return body.length == 0
                || !(body[0] == (byte) 0xEF && body.length > 1 && body[1] == (byte) 0xBB
                        || body[0] == (byte) 0xFE
                        || body[0] == (byte) 0xFF);
    }

    @Override
    public void destroy() {
        workers.dispose();
    }
}
