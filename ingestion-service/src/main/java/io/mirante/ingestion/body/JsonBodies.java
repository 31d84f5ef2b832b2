package io.mirante.ingestion.body;

import com.github.luben.zstd.ZstdInputStream;
import io.mirante.contracts.Json;
import io.mirante.contracts.events.Utf8;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.platform.web.ProblemException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
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
 * Reads a request's body, once: plain, gzip or zstd, UTF-8 JSON without a byte order mark, at most {@code maxBodyBytes}
 * packed and unpacked. Small bodies are read where they arrive, on the event loop; large or packed ones on a pool of
 * their own, where what follows then stays. Thread-safe.
 *
 * <p>Errors are problems: 400 for what is not UTF-8 (with line and column for what is not JSON), 413 above the limit, 415
 * for an encoding that is not known here.
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
        return bytes(request).map(JsonBodies::parse);
    }

    /** The body's bytes: UTF-8, unpacked, at least one. */
    public Mono<byte[]> bytes(ServerHttpRequest request) {
        Packing packing;
        try {
            packing = Packing.of(request.getHeaders());
        } catch (ProblemException e) {
            return Mono.error(e);
        }
        if (request.getHeaders().getContentLength() > maxBytes) {
            return Mono.error(tooLarge());
        }
        return DataBufferUtils.join(request.getBody(), maxBytes)
                .map(JsonBodies::bytes)
                .flatMap(bytes -> place(bytes, packing))
                .map(bytes -> utf8(unpack(bytes, packing)))
                .switchIfEmpty(
                        Mono.error(() ->
                                ProblemException.malformed("", "required", "the body is empty")));
    }

    /** The same of a body that is there already, at most {@code maxBodyBytes}, not packed. */
    public Mono<byte[]> plain(byte[] body) {
        return place(body, Packing.NONE).map(JsonBodies::utf8);
    }

    /** How a body is packed. */
    private enum Packing {
        NONE,
        GZIP,
        ZSTD;

        /** A larger window would need more memory than a whole body may have: 2^23 = 8 MiB. */
        private static final int MAX_WINDOW_LOG = 23;

        static Packing of(HttpHeaders headers) {
            var encoding = headers.getFirst(HttpHeaders.CONTENT_ENCODING);
            return switch (encoding == null ? "" : encoding.strip().toLowerCase(Locale.ROOT)) {
                case "", "identity" -> NONE;
                case "gzip", "x-gzip" -> GZIP;
                case "zstd" -> ZSTD;
                default ->
                        throw ProblemException.of(
                                HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                                "unsupported-encoding",
                                "Content-Encoding must be gzip, zstd or absent");
            };
        }

        InputStream open(byte[] packed) throws IOException {
            var in = new ByteArrayInputStream(packed);
            return switch (this) {
                case NONE -> in;
                case GZIP -> new GZIPInputStream(in);
                case ZSTD -> new ZstdInputStream(in).setLongMax(MAX_WINDOW_LOG);
            };
        }
    }

    private Mono<byte[]> place(byte[] bytes, Packing packing) {
        var here = Mono.just(bytes);
        return packing != Packing.NONE || bytes.length > SMALL_BYTES
                ? here.publishOn(workers)
                : here;
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

    private byte[] unpack(byte[] packed, Packing packing) {
        if (packing == Packing.NONE) {
            return packed;
        }
        try (var in = packing.open(packed)) {
            var bytes = in.readNBytes(maxBytes + 1);
            if (bytes.length > maxBytes) {
                throw tooLarge();
            }
            return bytes;
        } catch (IOException e) {
            throw ProblemException.malformed(
                    "",
                    "bad_encoding",
                    "the body is not valid %s, as Content-Encoding says"
                            .formatted(packing.name().toLowerCase(Locale.ROOT)));
        }
    }

    private ProblemException tooLarge() {
        return ProblemException.tooLarge(
                "the body is larger than " + maxBytes + " bytes; send it in parts");
    }

    /** Refuses other encodings, which Jackson alone would take or mend. */
    private static byte[] utf8(byte[] body) {
        if (body.length == 0) {
            throw ProblemException.malformed("", "required", "the body is empty");
        }
        boolean wide = body.length > 1 && (body[0] == 0 || body[1] == 0);
        if (wide || !Utf8.valid(body)) {
            throw ProblemException.malformed(
                    "", "bad_encoding", "the body must be UTF-8 without a byte order mark");
        }
        return body;
    }

    /** Parses a whole body; the message names line and column. */
    static JsonNode parse(byte[] body) {
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
                            ? "the body is not valid JSON: " + Json.reason(e)
                            : "the body is not valid JSON at line %d, column %d: %s"
                                    .formatted(at.getLineNr(), at.getColumnNr(), Json.reason(e)));
        }
    }

    @Override
    public void destroy() {
        workers.dispose();
    }
}
