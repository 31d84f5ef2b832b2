package io.mirante.gateway.guard;

import java.time.Duration;
import java.util.List;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.reactor.netty.NettyServerCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.reactive.CorsWebFilter;

/** CORS, and what the server does to connections. */
@Configuration(proxyBeanMethods = false)
final class GuardConfiguration {

    /** Keys come in headers, never in cookies, so credentials are not allowed and any header may be sent. */
    @Bean
    @Order(Ordered.HIGHEST_PRECEDENCE + 10)
    @ConditionalOnProperty("mirante.gateway.cors.enabled")
    CorsWebFilter cors(CorsSettings settings) {
        var cors = new CorsConfiguration();
        cors.setAllowedOrigins(settings.allowedOrigins());
        cors.setAllowedMethods(List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"));
        cors.setAllowedHeaders(List.of(CorsConfiguration.ALL));
        cors.setExposedHeaders(
                List.of(
                        "X-Request-Id",
                        "X-RateLimit-Limit",
                        "X-RateLimit-Remaining",
                        "X-RateLimit-Reset",
                        "Retry-After",
                        "Location",
                        "ETag",
                        "Link",
                        "Deprecation",
                        "Content-Disposition"));
        cors.setMaxAge(Duration.ofHours(1));
        return new CorsWebFilter(exchange -> cors);
    }

    @Bean
    NettyServerCustomizer headerDeadline(GuardSettings settings) {
        return server ->
                server.doOnChannelInit((observer, channel, remote) ->
                        HeaderDeadline.install(channel.pipeline(), settings.headerTimeout()));
    }

    @Bean
    NettyServerCustomizer plainUploads() {
        return server ->
                server.doOnChannelInit(
                        (observer, channel, remote) -> PlainUploads.install(channel.pipeline()));
    }
}
