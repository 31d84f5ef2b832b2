package io.mirante.platform.web;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/** Ends a request with a problem detail (RFC 9457). The message is for the caller: it names the field and the remedy. */
public final class ProblemException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final HttpStatus status;
    private final String kind;
    private final transient List<FieldError> errors;
    private final @Nullable Duration retryAfter;

    private ProblemException(
            HttpStatus status,
            String kind,
            String detail,
            List<FieldError> errors,
            @Nullable Duration retryAfter) {
        super(detail, null, false, false);
        this.status = status;
        this.kind = kind;
        this.errors = List.copyOf(errors);
        this.retryAfter = retryAfter;
    }

    /**
     * Any status.
     *
     * @param kind slug of the problem's type, such as {@code unknown-funnel}
     */
    public static ProblemException of(HttpStatus status, String kind, String detail) {
        return new ProblemException(status, kind, detail, List.of(), null);
    }

    /** 400 with what is wrong where. */
    public static ProblemException malformed(List<FieldError> errors) {
        return new ProblemException(
                HttpStatus.BAD_REQUEST,
                "malformed-request",
                errors.isEmpty() ? "the request is malformed" : errors.getFirst().message(),
                errors,
                null);
    }

    /** 400 for one field. */
    public static ProblemException malformed(String pointer, String code, String message) {
        return malformed(List.of(new FieldError(pointer, code, message)));
    }

    /** 404: not there, or another tenant's. */
    public static ProblemException notFound(String what) {
        return of(HttpStatus.NOT_FOUND, "not-found", what + " was not found");
    }

    /** 409. */
    public static ProblemException conflict(String kind, String detail) {
        return of(HttpStatus.CONFLICT, kind, detail);
    }

    /** 413. */
    public static ProblemException tooLarge(String detail) {
        return of(HttpStatus.CONTENT_TOO_LARGE, "too-large", detail);
    }

    /** 422: well-formed but impossible; the detail says why. */
    public static ProblemException impossible(String kind, String detail) {
        return of(HttpStatus.UNPROCESSABLE_CONTENT, kind, detail);
    }

    /** 429 with Retry-After. */
    public static ProblemException tooMany(String detail, Duration retryAfter) {
        return new ProblemException(
                HttpStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, List.of(), retryAfter);
    }

    /** 503 with Retry-After. */
    public static ProblemException unavailable(String detail, Duration retryAfter) {
        return new ProblemException(
                HttpStatus.SERVICE_UNAVAILABLE, "unavailable", detail, List.of(), retryAfter);
    }

    public HttpStatus status() {
        return status;
    }

    public String kind() {
        return kind;
    }

    List<FieldError> errors() {
        return errors;
    }

    @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
