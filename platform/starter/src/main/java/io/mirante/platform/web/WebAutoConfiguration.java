package io.mirante.platform.web;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import io.mirante.platform.security.CachingJwtDecoder;
import io.swagger.v3.core.jackson.ModelResolver;
import io.swagger.v3.oas.models.OpenAPI;
import java.time.Duration;
import java.util.ArrayList;
import org.springdoc.core.providers.ObjectMapperProvider;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.reactor.netty.NettyReactiveWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.webflux.autoconfigure.WebHttpHandlerBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.MethodParameter;
import org.springframework.security.authentication.AuthenticationCredentialsNotFoundException;
import org.springframework.security.core.context.ReactiveSecurityContextHolder;
import org.springframework.web.reactive.BindingContext;
import org.springframework.web.reactive.config.PathMatchConfigurer;
import org.springframework.web.reactive.config.WebFluxConfigurer;
import org.springframework.web.reactive.result.method.HandlerMethodArgumentResolver;
import org.springframework.web.reactive.result.method.annotation.ArgumentResolverConfigurer;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/** Problem details, request ids, paging and callers for every service's REST API. */
@AutoConfiguration
public class WebAutoConfiguration implements WebFluxConfigurer {

    @Override
    public void configureArgumentResolvers(ArgumentResolverConfigurer configurer) {
        configurer.addCustomResolver(new CallerResolver(), new PagingResolver());
    }

    @Override
    public void configurePathMatching(PathMatchConfigurer configurer) {
        // Trailing slashes are the gateway's business.
    }

    @Bean
    AccessLog accessLog() {
        return new AccessLog();
    }

    @Bean
    Draining draining(@Value("${mirante.web.drain:1s}") Duration drain) {
        return new Draining(drain);
    }

    /** The part of the heap that bodies on short ways may hold at a time. */
    private static final int GATHERED = 8;

    /** Answers calls that take a {@link ShortWay}; with tracing on, they take the usual way and are traced. */
    @Bean
    @ConditionalOnBooleanProperty(
            name = "management.tracing.export.enabled",
            havingValue = false,
            matchIfMissing = true)
    WebServerFactoryCustomizer<NettyReactiveWebServerFactory> shortWays(
            ObjectProvider<ShortWay> ways,
            ObjectProvider<QuickPost> posts,
            ObjectProvider<CachingJwtDecoder> tokens,
            ObjectProvider<MeterRegistry> meters,
            Draining draining,
            JsonMapper json) {
        return factory -> {
            var all = new ArrayList<>(ways.orderedStream().toList());
            var decoder = tokens.getIfAvailable();
            if (decoder != null) {
                posts.orderedStream()
                        .forEach(post -> all.add(new QuickPostWay(post, decoder, json)));
            }
            if (!all.isEmpty()) {
                factory.addRouteProviders(
                        new ShortWays(
                                all,
                                Runtime.getRuntime().maxMemory() / GATHERED,
                                draining,
                                meters.getObject(),
                                json));
            }
        };
    }

    /** Requests are timed without the machinery of observations where nothing but a timer comes of them. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty(
            name = "management.tracing.export.enabled",
            havingValue = false,
            matchIfMissing = true)
    static class Untraced {

        @Bean
        RequestTimer requestTimer(MeterRegistry meters) {
            return new RequestTimer(meters);
        }

        @Bean
        WebHttpHandlerBuilderCustomizer unobserved() {
            return builder -> builder.observationRegistry(ObservationRegistry.NOOP);
        }
    }

    @Bean
    @ConditionalOnMissingBean
    ProblemHandler problemHandler() {
        return new ProblemHandler();
    }

    @Bean
    OpenAPI openApi(@Value("${spring.application.name}") String name) {
        return OpenApiDocument.frame(name);
    }

    @Bean
    OpenApiDocument openApiDocument() {
        return new OpenApiDocument();
    }

    @Bean
    @ConditionalOnBooleanProperty(name = "springdoc.api-docs.enabled", matchIfMissing = true)
    ModelResolver openApiSchemas(ObjectMapperProvider mappers) {
        return new WireSchemas(mappers.jsonMapper());
    }

    private static final class CallerResolver implements HandlerMethodArgumentResolver {
        @Override
        public boolean supportsParameter(MethodParameter parameter) {
            return parameter.getParameterType() == Caller.class;
        }

        @Override
        public Mono<Object> resolveArgument(
                MethodParameter parameter, BindingContext context, ServerWebExchange exchange) {
            return ReactiveSecurityContextHolder.getContext()
                    .<Object>handle((security, sink) -> {
                        var authentication = security.getAuthentication();
                        Callers.of(authentication)
                                .ifPresent(caller -> {
                                    exchange.getAttributes().put(AccessLog.TENANT, caller.tenant());
                                    sink.next(caller);
                                });
                    })
                    .switchIfEmpty(
                            Mono.error(() ->
                                    new AuthenticationCredentialsNotFoundException("no token")));
        }
    }

    private static final class PagingResolver implements HandlerMethodArgumentResolver {
        @Override
        public boolean supportsParameter(MethodParameter parameter) {
            return parameter.getParameterType() == Paging.class;
        }

        @Override
        public Mono<Object> resolveArgument(
                MethodParameter parameter, BindingContext context, ServerWebExchange exchange) {
            var query = exchange.getRequest().getQueryParams();
            return Mono.fromCallable(
                    () -> Paging.of(query.getFirst("limit"), query.getFirst("cursor")));
        }
    }
}
