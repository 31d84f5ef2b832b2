package io.mirante.gateway.routing;

import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.guard.ServiceGuards;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.limits.RequestLimits;
import io.mirante.gateway.problem.Problems;
import io.mirante.platform.web.RequestIds;
import io.mirante.platform.web.ShortWay;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.cloud.gateway.config.HttpClientProperties;
import org.springframework.cloud.gateway.filter.headers.HttpHeadersFilter;
import org.springframework.cloud.gateway.handler.FilteringWebHandler;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.security.web.server.MatcherSecurityWebFilterChain;
import org.springframework.security.web.server.SecurityWebFilterChain;
import org.springframework.security.web.server.util.matcher.ServerWebExchangeMatchers;
import org.springframework.web.server.ServerWebExchange;
import reactor.netty.http.client.HttpClient;

/** Spring Cloud Gateway as the proxy behind {@link DoorFilter}: two routes per service, with and without time limit. */
@Configuration(proxyBeanMethods = false)
final class RoutingConfiguration {

    /** Before every other mapping: what the door lets through has its route already. */
    @Bean
    FoundRoutes foundRoutes(GatewaySettings settings, FilteringWebHandler proxy) {
        return new FoundRoutes(settings, proxy);
    }

    /** What short ways are made of; null when ingestion wants TLS, and then there are none. */
    @Bean
    QuickPass.@Nullable Parts quickParts(
            Door door,
            RequestLimits limits,
            ServiceGuards guards,
            Problems problems,
            GatewaySettings settings,
            HttpClientProperties http,
            HttpClient proxy) {
        var ingestion = Objects.requireNonNull(settings.services().get(Service.INGESTION)).url();
        if (!"http".equals(ingestion.getScheme())) {
            return null;
        }
        var waits =
                new QuickClient.Settings(
                        Duration.ofMillis(http.getConnectTimeout()),
                        settings.timeout(),
                        http.getPool().getMaxIdleTime());
        var client = new QuickClient(ingestion, waits, proxy.configuration().loopResources());
        return new QuickPass.Parts(door, limits, guards, problems, settings, client);
    }

    /** A short way for events that come one by one: bodies of about what one read from a connection brings. */
    @Bean
    @Nullable ShortWay quickEvents(Optional<QuickPass.Parts> parts) {
        return parts.map(with ->
                        new QuickPass(new QuickPass.Posts("/api/v1/events", 16 * 1024, true), with))
                .orElse(null);
    }

    /** And one for batches of some hundred, which take longer than what a quick call may. */
    @Bean
    @Nullable ShortWay quickBatches(Optional<QuickPass.Parts> parts) {
        return parts.map(with ->
                        new QuickPass(
                                new QuickPass.Posts("/api/v1/events/batch", 256 * 1024, false),
                                with))
                .orElse(null);
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
