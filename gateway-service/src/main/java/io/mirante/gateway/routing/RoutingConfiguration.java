package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.platform.web.RequestIds;
import java.util.List;
import org.springframework.cloud.gateway.filter.headers.HttpHeadersFilter;
import org.springframework.cloud.gateway.handler.FilteringWebHandler;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.security.web.server.MatcherSecurityWebFilterChain;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.util.matcher.ServerWebExchangeMatchers;
import org.springframework.web.server.ServerWebExchange;

/** Spring Cloud Gateway as the proxy behind {@link DoorFilter}: two routes per service, with and without time limit. */
@Configuration(proxyBeanMethods = false)
final class RoutingConfiguration {

    /** Before every other mapping: what the door lets through has its route already. */
    @Bean
    FoundRoutes foundRoutes(GatewaySettings settings, FilteringWebHandler proxy) {
        return new FoundRoutes(settings, proxy);
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

    /** Keys are checked by {@link DoorFilter}; all that Spring Security adds here is its firewall, in front of this. */
    @Bean
    SecurityWebFilterChain doorSecurity() {
        return new MatcherSecurityWebFilterChain(
                ServerWebExchangeMatchers.anyExchange(),
                List.of((exchange, chain) -> chain.filter(exchange)));
    }
}
