package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.platform.web.RequestIds;
import java.util.ArrayList;
import org.springframework.cloud.gateway.filter.headers.HttpHeadersFilter;
import org.springframework.cloud.gateway.route.Route;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.cloud.gateway.support.RouteMetadataUtils;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.context.NoOpServerSecurityContextRepository;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;

/** Spring Cloud Gateway as the proxy behind {@link DoorFilter}: two routes per service, with and without time limit. */
@Configuration(proxyBeanMethods = false)
final class RoutingConfiguration {

    private static final int WITHOUT_LIMIT = -1;

    @Bean
    RouteLocator services(GatewaySettings settings) {
        var routes = new ArrayList<Route>();
        settings.services()
                .forEach((service, target) -> {
                    for (boolean timed : new boolean[] {true, false}) {
                        routes.add(
                                Route.async()
                                        .id(service.id() + (timed ? "" : "-untimed"))
                                        .uri(target.url())
                                        .predicate(exchange -> goesTo(exchange, service, timed))
                                        .metadata(
                                                RouteMetadataUtils.RESPONSE_TIMEOUT_ATTR,
                                                timed
                                                        ? Math.toIntExact(
                                                                settings.timeout().toMillis())
                                                        : WITHOUT_LIMIT)
                                        .build());
                    }
                });
        return () -> Flux.fromIterable(routes);
    }

    private static boolean goesTo(ServerWebExchange exchange, Service service, boolean timed) {
        return exchange.getAttribute(DoorFilter.ROUTE) instanceof Routes.Route route
                && route.service() == service
                && route.timed() == timed;
    }

    /** The answer already carries the request's id; the service's copy would be a second one. */
    @Bean
    HttpHeadersFilter oneRequestId() {
        return new HttpHeadersFilter() {
            @Override
            public HttpHeaders filter(HttpHeaders input, ServerWebExchange exchange) {
                var headers = new HttpHeaders();
                input.forEach((name, values) -> {
                    if (!name.equalsIgnoreCase(RequestIds.HEADER)) {
                        headers.addAll(name, values);
                    }
                });
                return headers;
            }

            @Override
            public boolean supports(Type type) {
                return type == Type.RESPONSE;
            }
        };
    }

    /** Keys are checked by {@link DoorFilter}; what Spring Security adds here is its firewall for odd paths. */
    @Bean
    SecurityWebFilterChain doorSecurity(ServerHttpSecurity http) {
        return http.csrf(ServerHttpSecurity.CsrfSpec::disable)
                .httpBasic(ServerHttpSecurity.HttpBasicSpec::disable)
                .formLogin(ServerHttpSecurity.FormLoginSpec::disable)
                .logout(ServerHttpSecurity.LogoutSpec::disable)
                .headers(ServerHttpSecurity.HeaderSpec::disable)
                .requestCache(ServerHttpSecurity.RequestCacheSpec::disable)
                .securityContextRepository(NoOpServerSecurityContextRepository.getInstance())
                .authorizeExchange(exchanges -> exchanges.anyExchange().permitAll())
                .build();
    }
}
