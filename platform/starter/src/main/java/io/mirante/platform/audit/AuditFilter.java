package io.mirante.platform.audit;

import io.mirante.contracts.gateway.AuditEntry;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.Callers;
import io.mirante.platform.web.RequestIds;
import java.lang.reflect.Method;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.http.HttpMethod;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.core.context.ReactiveSecurityContextHolder;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.reactive.HandlerMapping;
import org.springframework.web.reactive.resource.ResourceWebHandler;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

/**
 * One audit entry per authenticated call that a handler of this service answered, refused ones too: who, which route,
 * with which status; not the query string, not the body. Left out: events coming in (scope {@code ingest}), which the
 * event log holds itself; calls of one service to another, whose cause was recorded where the caller came in; and what a
 * handler marked as {@link #RECORDED}.
 */
public final class AuditFilter implements WebFilter, Ordered {

    /** Attribute of the exchange: the handler has written its own, fuller entry. */
    public static final String RECORDED = "mirante.audit.recorded";

    private static final int MAX_TARGET = 512;
    private static final String INGEST = "SCOPE_ingest";
    private static final String VIEW = "SCOPE_analytics.view";
    private static final Set<String> INTERNAL = Set.of("internal");

    private final Consumer<AuditEntry> trail;
    private final String service;
    private final Clock clock;
    private final Map<Method, String> required = new ConcurrentHashMap<>();

    AuditFilter(Consumer<AuditEntry> trail, String service, Clock clock) {
        this.trail = trail;
        this.service = service;
        this.clock = clock;
    }

    /** After whatever says who is calling. */
    @Override
    public int getOrder() {
        return 200;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        return ReactiveSecurityContextHolder.getContext()
                .mapNotNull(SecurityContext::getAuthentication)
                .map(Callers::of)
                .defaultIfEmpty(Optional.empty())
                .flatMap(caller ->
                        caller.isEmpty() || caller.get().scopes().equals(INTERNAL)
                                ? chain.filter(exchange)
                                : chain.filter(exchange)
                                        .doFinally(end -> record(exchange, caller.get(), end)));
    }

    private void record(ServerWebExchange exchange, Caller caller, SignalType end) {
        var handler = exchange.getAttribute(HandlerMapping.BEST_MATCHING_HANDLER_ATTRIBUTE);
        var pattern = exchange.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE);
        if (handler == null
                || handler instanceof ResourceWebHandler // nothing answers this path
                || pattern == null
                || exchange.getAttribute(RECORDED) != null) {
            return;
        }
        var scope = handler instanceof HandlerMethod method ? scopeOf(method) : VIEW;
        if (scope.contains(INGEST)) {
            return;
        }
        var request = exchange.getRequest();
        var path = request.getPath().value();
        trail.accept(
                new AuditEntry(
                        UUID.randomUUID().toString(),
                        caller.tenant(),
                        clock.instant(),
                        scope.contains(VIEW) || HttpMethod.GET.equals(request.getMethod())
                                ? AuditEntry.QUERY
                                : AuditEntry.CHANGE,
                        caller.subject(),
                        service,
                        request.getMethod() + " " + pattern,
                        path.length() > MAX_TARGET ? path.substring(0, MAX_TARGET) : path,
                        null,
                        status(exchange, end),
                        RequestIds.of(exchange)));
    }

    /** 0 when the caller left before there was an answer. */
    private static int status(ServerWebExchange exchange, SignalType end) {
        var status = exchange.getResponse().getStatusCode();
        if (status != null) {
            return status.value();
        }
        return end == SignalType.CANCEL ? 0 : 200;
    }

    /** What the handler's {@code @PreAuthorize} asks for; empty when it has none. */
    private String scopeOf(HandlerMethod handler) {
        return required.computeIfAbsent(
                handler.getMethod(),
                method -> {
                    @Nullable PreAuthorize found =
                            AnnotatedElementUtils.findMergedAnnotation(method, PreAuthorize.class);
                    if (found == null) {
                        found =
                                AnnotatedElementUtils.findMergedAnnotation(
                                        handler.getBeanType(), PreAuthorize.class);
                    }
                    return found == null ? "" : found.value();
                });
    }
}
