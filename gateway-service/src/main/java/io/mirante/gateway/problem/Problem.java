package io.mirante.gateway.problem;

import io.mirante.gateway.limits.Verdict;
import java.time.Duration;
import java.util.Map;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;

/**
 * What a request is answered that the gateway does not pass on, or that a service did not answer.
 *
 * @param kind last part of the problem's type
 * @param headers of the answer, besides its content type
 * @param more fields of the problem besides the usual ones
 */
public record Problem(
        HttpStatus status,
        String kind,
        String detail,
        Map<String, String> headers,
        Map<String, Object> more) {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

    public Problem {
        headers = Map.copyOf(headers);
        more = Map.copyOf(more);
    }

    /** One without headers and fields of its own. */
    public Problem(HttpStatus status, String kind, String detail) {
        this(status, kind, detail, Map.of(), Map.of());
    }

    /** 401, the same for every reason. */
    public static Problem unauthorized() {
        return new Problem(
                HttpStatus.UNAUTHORIZED,
                "unauthorized",
                "no valid key; send it as x-api-key, as a Bearer token or as the user of Basic",
                Map.of(HttpHeaders.WWW_AUTHENTICATE, "Bearer"),
                Map.of());
    }

    /** 503 with Retry-After, naming what is down in {@code service}. */
    public static Problem unavailable(String service) {
        return new Problem(
                HttpStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                service + " does not answer at the moment; try again",
                Map.of(HttpHeaders.RETRY_AFTER, Long.toString(RETRY_AFTER.toSeconds())),
                Map.of("service", service));
    }

    /** 503 with Retry-After for a service that has enough to do, naming it in {@code service}. */
    public static Problem busy(String service, String detail) {
        return new Problem(
                HttpStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                detail,
                Map.of(HttpHeaders.RETRY_AFTER, "1"),
                Map.of("service", service));
    }

    /** 429 for a key that has used up its minute; the verdict's headers are the caller's to write. */
    public static Problem tooMany(Verdict verdict) {
        return new Problem(
                HttpStatus.TOO_MANY_REQUESTS,
                "rate-limited",
                "more than %d requests in a minute; go on after Retry-After seconds"
                        .formatted(verdict.limit()));
    }

    /** 504, naming what was too slow in {@code service}. */
    public static Problem tooSlow(String service, Duration limit) {
        return new Problem(
                HttpStatus.GATEWAY_TIMEOUT,
                "timeout",
                "%s did not answer within %d ms".formatted(service, limit.toMillis()),
                Map.of(),
                Map.of("service", service));
    }

    /** 408: the body was not there in time. What comes of it later belongs to no request, so the connection ends. */
    public static Problem bodyTooLate(Duration limit) {
        return new Problem(
                HttpStatus.REQUEST_TIMEOUT,
                "request-timeout",
                "the body did not arrive within %d ms".formatted(limit.toMillis()),
                Map.of(HttpHeaders.CONNECTION, "close"),
                Map.of());
    }

    /** 413. */
    public static Problem bodyTooLarge(long maxBytes) {
        return new Problem(
                HttpStatus.CONTENT_TOO_LARGE,
                "too-large",
                "the body is larger than %d bytes; send it in parts".formatted(maxBytes));
    }
}
