package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.springframework.cloud.gateway.handler.FilteringWebHandler;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.support.RouteMetadataUtils;
import org.springframework.cloud.gateway.support.ServerWebExchangeUtils;
import org.springframework.core.Ordered;
import org.springframework.http.server.reactive.observation.ServerRequestObservationContext;
import org.springframework.web.reactive.handler.AbstractHandlerMapping;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/**
 * Gives Spring Cloud Gateway the route that {@link DoorFilter} found: two per service, with and without time limit. Asked
 * first, so that what is passed on never meets the gateway's own handlers, of which some have the same paths. The usual
 * way, to ask one route after another, takes longer than all of its filters.
 */
final class FoundRoutes extends AbstractHandlerMapping {

    private static final int WITHOUT_LIMIT = -1;

    private final FilteringWebHandler proxy;
    private final Map<Service, Route> timed = new EnumMap<>(Service.class);
    private final Map<Service, Route> untimed = new EnumMap<>(Service.class);

    FoundRoutes(GatewaySettings settings, FilteringWebHandler proxy) {
        this.proxy = proxy;
        setOrder(Ordered.HIGHEST_PRECEDENCE);
        settings.services()
                .forEach((service, target) -> {
                    var limit = Math.toIntExact(settings.timeout().toMillis());
                    timed.put(service, route(service.id(), target, limit));
                    untimed.put(service, route(service.id() + "-untimed", target, WITHOUT_LIMIT));
                });
    }

    private static Route route(String id, GatewaySettings.Target target, int limitMillis) {
        return Route.async()
                .id(id)
                .uri(target.url())
                .predicate(exchange -> true)
                .metadata(RouteMetadataUtils.RESPONSE_TIMEOUT_ATTR, limitMillis)
                .build();
    }

    @Override
    protected Mono<?> getHandlerInternal(ServerWebExchange exchange) {
        if (!(exchange.getAttribute(DoorFilter.ROUTE) instanceof Routes.Route found)) {
            return Mono.empty();
        }
        var route = (found.timed() ? timed : untimed).get(found.service());
        var attributes = exchange.getAttributes();
        attributes.put(
                ServerWebExchangeUtils.GATEWAY_ROUTE_ATTR,
                Objects.requireNonNull(route, "a service without an address"));
        ServerRequestObservationContext.findCurrent(attributes)
                .ifPresent(context -> context.setPathPattern(found.pattern()));
        return Mono.deferContextual(context -> {
            // Where a trace is found that is to be continued.
            attributes.put(ServerWebExchangeUtils.GATEWAY_REACTOR_CONTEXT_ATTR, context);
            return Mono.just(proxy);
        });
    }
}
