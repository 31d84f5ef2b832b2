package io.mirante.platform.web;

import io.mirante.contracts.gateway.InvalidSettingException;
import io.r2dbc.spi.R2dbcException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.codec.DecodingException;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataAccessResourceFailureException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.web.server.firewall.ServerExchangeRejectedException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.bind.support.WebExchangeBindException;
import org.springframework.web.reactive.resource.NoResourceFoundException;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.ServerWebInputException;
import reactor.netty.channel.AbortedException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

/**
 * Every error as {@code application/problem+json}: type, title, status, detail, instance, errors, request_id. No stack
 * trace and no class name leaves the service; what is a fault of ours is logged here, once, under the request's id.
 */
@RestControllerAdvice
@Order(Ordered.LOWEST_PRECEDENCE)
public final class ProblemHandler {

    private static final Logger LOG = LoggerFactory.getLogger(ProblemHandler.class);
    private static final String TYPE = "https://mirante.example/problems/";

    private static final String INTERNAL =
            "something went wrong on our side; the log has it under the request id";

    /** SQLSTATEs: a character, or a JSON escape of one, that no text may have; a time out of range. */
    private static final Set<String> UNSTORABLE = Set.of("22021", "22P05", "22008");

    @ExceptionHandler
    ResponseEntity<ProblemDetail> problem(ProblemException e, ServerWebExchange exchange) {
        var headers = new HttpHeaders();
        var retryAfter = e.retryAfter();
        if (retryAfter != null) {
            headers.set(
                    HttpHeaders.RETRY_AFTER, Long.toString(Math.max(1, retryAfter.toSeconds())));
        }
        return answer(
                exchange,
                e.status(),
                e.kind(),
                String.valueOf(e.getMessage()),
                e.errors(),
                headers);
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> unreadable(
            ServerWebInputException e, ServerWebExchange exchange) {
        return answer(
                exchange,
                HttpStatus.BAD_REQUEST,
                "malformed-request",
                "the request is malformed",
                inputErrors(e),
                new HttpHeaders());
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> tooLarge(DataBufferLimitException e, ServerWebExchange exchange) {
        return answer(
                exchange,
                HttpStatus.CONTENT_TOO_LARGE,
                "too-large",
                "the body is larger than this route accepts; send it in parts",
                List.of(),
                new HttpHeaders());
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> forbidden(AccessDeniedException e, ServerWebExchange exchange) {
        return answer(
                exchange,
                HttpStatus.FORBIDDEN,
                "missing-scope",
                "the key lacks the scope for this call",
                List.of(),
                new HttpHeaders());
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> unauthorized(
            AuthenticationException e, ServerWebExchange exchange) {
        return answer(
                exchange,
                HttpStatus.UNAUTHORIZED,
                "unauthorized",
                "no valid key or token",
                List.of(),
                new HttpHeaders());
    }

    /** Spring Security's firewall: control characters in a path, a header or a parameter's name. */
    @ExceptionHandler
    ResponseEntity<ProblemDetail> odd(
            ServerExchangeRejectedException e, ServerWebExchange exchange) {
        return answer(
                exchange,
                HttpStatus.BAD_REQUEST,
                "malformed-request",
                "the request holds characters that a path, a header or a parameter's name must not"
                        + " have",
                List.of(),
                new HttpHeaders());
    }

    /** The client has gone: nobody reads this answer, and nothing is wrong here. */
    @ExceptionHandler
    ResponseEntity<ProblemDetail> gone(AbortedException e, ServerWebExchange exchange) {
        LOG.debug("the client has gone: {}", e.getMessage());
        return answer(
                exchange,
                HttpStatus.BAD_REQUEST,
                "malformed-request",
                "the request broke off",
                List.of(),
                new HttpHeaders());
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> database(DataAccessException e, ServerWebExchange exchange) {
        if (e instanceof DataAccessResourceFailureException) {
            return down(e, exchange);
        }
        return unstorable(e)
                ? answer(
                        exchange,
                        HttpStatus.BAD_REQUEST,
                        "malformed-request",
                        "the request holds a text with the character U+0000 or a time that cannot"
                                + " be stored",
                        List.of(),
                        new HttpHeaders())
                : bug(e, exchange);
    }

    /** Whether PostgreSQL refused a value as such, which only a caller can have given. */
    private static boolean unstorable(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof R2dbcException refused
                    && refused.getSqlState() != null
                    && UNSTORABLE.contains(refused.getSqlState())) {
                return true;
            }
        }
        return false;
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> noConnection(
            CannotCreateTransactionException e, ServerWebExchange exchange) {
        return down(e, exchange);
    }

    /** No controller has the path; Spring would speak of its static resources. */
    @ExceptionHandler
    ResponseEntity<ProblemDetail> unknownPath(
            NoResourceFoundException e, ServerWebExchange exchange) {
        return answer(
                exchange,
                HttpStatus.NOT_FOUND,
                "not-found",
                "no service answers this path",
                List.of(),
                new HttpHeaders());
    }

    @ExceptionHandler
    ResponseEntity<ProblemDetail> other(Throwable e, ServerWebExchange exchange) {
        if (e instanceof ErrorResponse known) {
            var status = known.getStatusCode();
            var detail = known.getBody().getDetail();
            return answer(
                    exchange,
                    status,
                    slug(status),
                    detail == null ? reason(status) : detail,
                    List.of(),
                    known.getHeaders());
        }
        return bug(e, exchange);
    }

    private ResponseEntity<ProblemDetail> down(Throwable e, ServerWebExchange exchange) {
        LOG.atWarn()
                .addKeyValue("request_id", RequestIds.of(exchange))
                .log("the database does not answer: {}", e.getMessage());
        var headers = new HttpHeaders();
        headers.set(HttpHeaders.RETRY_AFTER, "2");
        return answer(
                exchange,
                HttpStatus.SERVICE_UNAVAILABLE,
                "unavailable",
                "the database does not answer at the moment; try again",
                List.of(),
                headers);
    }

    private ResponseEntity<ProblemDetail> bug(Throwable e, ServerWebExchange exchange) {
        LOG.atError()
                .setCause(e)
                .addKeyValue("request_id", RequestIds.of(exchange))
                .log("request failed: {} {}", exchange.getRequest().getMethod(), path(exchange));
        return answer(
                exchange,
                HttpStatus.INTERNAL_SERVER_ERROR,
                "internal-error",
                INTERNAL,
                List.of(),
                new HttpHeaders());
    }

    /**
     * A problem outside of Spring's handlers.
     *
     * @param retryAfter in seconds; null when the caller is not told
     * @param body becomes JSON
     */
    record Written(HttpStatusCode status, @Nullable String retryAfter, Map<String, Object> body) {}

    /** What a request that ended with an error is answered. */
    static Written of(Throwable error, String path, String requestId) {
        if (error instanceof ProblemException e) {
            var retryAfter = e.retryAfter();
            return new Written(
                    e.status(),
                    retryAfter == null ? null : Long.toString(Math.max(1, retryAfter.toSeconds())),
                    body(
                            e.status(),
                            e.kind(),
                            String.valueOf(e.getMessage()),
                            e.errors(),
                            path,
                            requestId));
        }
        if (error instanceof AbortedException) {
            LOG.debug("the client has gone: {}", error.getMessage());
            return new Written(
                    HttpStatus.BAD_REQUEST,
                    null,
                    body(
                            HttpStatus.BAD_REQUEST,
                            "malformed-request",
                            "the request broke off",
                            List.of(),
                            path,
                            requestId));
        }
        LOG.atError()
                .setCause(error)
                .addKeyValue("request_id", requestId)
                .log("request failed: {}", path);
        return new Written(
                HttpStatus.INTERNAL_SERVER_ERROR,
                null,
                body(
                        HttpStatus.INTERNAL_SERVER_ERROR,
                        "internal-error",
                        INTERNAL,
                        List.of(),
                        path,
                        requestId));
    }

    /** A problem as JSON fields, for those who write the answer themselves (filters). */
    public static Map<String, Object> body(
            HttpStatusCode status, String kind, String detail, String instance, String requestId) {
        return body(status, kind, detail, List.of(), instance, requestId);
    }

    private static Map<String, Object> body(
            HttpStatusCode status,
            String kind,
            String detail,
            List<FieldError> errors,
            String instance,
            String requestId) {
        return Map.of(
                "type",
                TYPE + kind,
                "title",
                reason(status),
                "status",
                status.value(),
                "detail",
                detail,
                "instance",
                instance,
                "errors",
                errors,
                "request_id",
                requestId);
    }

    private static ResponseEntity<ProblemDetail> answer(
            ServerWebExchange exchange,
            HttpStatusCode status,
            String kind,
            String detail,
            List<FieldError> errors,
            HttpHeaders headers) {
        var problem = ProblemDetail.forStatusAndDetail(status, detail);
        problem.setType(URI.create(TYPE + kind));
        problem.setTitle(reason(status));
        problem.setInstance(
                exchange.getRequest().getURI().getRawPath() == null
                        ? null
                        : URI.create(exchange.getRequest().getURI().getRawPath()));
        problem.setProperty("errors", errors);
        problem.setProperty("request_id", RequestIds.of(exchange));
        return ResponseEntity.status(status)
                .headers(headers)
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(problem);
    }

    private static List<FieldError> inputErrors(ServerWebInputException e) {
        if (e instanceof WebExchangeBindException bind) {
            var errors = new ArrayList<FieldError>();
            bind.getFieldErrors()
                    .forEach(f ->
                            errors.add(
                                    new FieldError(
                                            "/" + f.getField(),
                                            "invalid",
                                            f.getField() + " " + f.getDefaultMessage())));
            return errors;
        }
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof JacksonException json) {
                return List.of(ofJson(json));
            }
            if (cause instanceof DecodingException decoding && decoding.getCause() == null) {
                return List.of(new FieldError("", "unreadable", "the body cannot be read as JSON"));
            }
        }
        var parameter = e.getMethodParameter();
        var name = parameter == null ? null : parameter.getParameterName();
        return List.of(
                new FieldError(
                        name == null ? "" : "?" + name,
                        "invalid",
                        e.getReason() == null ? "the request is malformed" : e.getReason()));
    }

    private static FieldError ofJson(JacksonException e) {
        var pointer = new StringBuilder();
        e.getPath()
                .forEach(step ->
                        pointer.append('/')
                                .append(
                                        step.getPropertyName() == null
                                                ? step.getIndex()
                                                : step.getPropertyName()));
        var field = pointer.toString();
        if (e.getCause() instanceof InvalidSettingException invalid) {
            return new FieldError(
                    field + invalid.field(), invalid.code(), String.valueOf(invalid.getMessage()));
        }
        return switch (e) {
            case UnrecognizedPropertyException unknown ->
                    new FieldError(
                            field,
                            "unknown_field",
                            "unknown field "
                                    + unknown.getPropertyName()
                                    + "; known are "
                                    + unknown.getKnownPropertyIds());
            case InvalidFormatException format ->
                    new FieldError(field, "wrong_type", wrongForm(field, format.getTargetType()));
            case MismatchedInputException mismatch ->
                    new FieldError(field, "wrong_type", wrongType(field));
            default -> {
                var at = e.getLocation();
                yield new FieldError(
                        field,
                        "bad_json",
                        at == null
                                ? "the body is not valid JSON"
                                : "the body is not valid JSON at line %d, column %d"
                                        .formatted(at.getLineNr(), at.getColumnNr()));
            }
        };
    }

    private static String wrongForm(String field, @Nullable Class<?> wanted) {
        return wanted != null && wanted.isEnum()
                ? field
                        + " must be one of "
                        + Stream.of(wanted.getEnumConstants())
                                .map(c -> ((Enum<?>) c).name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))
                : field + " has a value of the wrong type or form";
    }

    private static String wrongType(String field) {
        return field.isEmpty()
                ? "the body must be a JSON object of this route's form"
                : field + " has the wrong type or is missing";
    }

    private static String path(ServerWebExchange exchange) {
        return exchange.getRequest().getPath().value();
    }

    private static String slug(HttpStatusCode status) {
        return reason(status).toLowerCase(Locale.ROOT).replace(' ', '-');
    }

    private static String reason(HttpStatusCode status) {
        @Nullable HttpStatus known = HttpStatus.resolve(status.value());
        return known == null ? "Error" : known.getReasonPhrase();
    }
}
