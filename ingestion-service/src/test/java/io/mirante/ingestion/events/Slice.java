package io.mirante.ingestion.events;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.Json;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.ingestion.IngestionSettings;
import io.mirante.ingestion.body.JsonBodies;
import io.mirante.ingestion.intake.EventLimits;
import io.mirante.ingestion.intake.TenantRules;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.rejected.Rejections;
import io.mirante.platform.keys.MasterKeys;
import io.mirante.platform.keys.Seal;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.ProblemHandler;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.springframework.core.MethodParameter;
import org.springframework.http.ProblemDetail;
import org.springframework.http.codec.json.JacksonJsonEncoder;
import org.springframework.http.converter.json.ProblemDetailJacksonMixin;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.BindingContext;
import org.springframework.web.reactive.result.method.HandlerMethodArgumentResolver;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;

/** The controller without Spring Boot, Kafka or a token: the caller is tenant {@code acme}. */
final class Slice {

    static final IngestionSettings SETTINGS =
            new IngestionSettings(
                    65_536, 8 * 1024 * 1024, 5000, Duration.ofMinutes(15), Duration.ofMillis(800));

    private static final JsonMapper MAPPER =
            Json.mapper()
                    .rebuild()
                    .addMixIn(ProblemDetail.class, ProblemDetailJacksonMixin.class)
                    .build();

    private Slice() {}

    /** The check with settings of the test's own and a random master key. */
    static EventItems items(Function<String, TenantSettings> settings) {
        var keys = MasterKeys.random();
        var tenants = new TenantRules(settings, keys);
        return new EventItems(new Rejections(new Seal(keys), tenants, SETTINGS), tenants);
    }

    static WebTestClient client(EventLog log, MeterRegistry meters) {
        return client(log, meters, tenant -> TenantSettings.defaults(tenant));
    }

    static WebTestClient client(
            EventLog log, MeterRegistry meters, Function<String, TenantSettings> settings) {
        return WebTestClient.bindToController(
                        new EventController(
                                new JsonBodies(SETTINGS),
                                items(settings),
                                new EventLimits(
                                        tenant -> settings.apply(tenant).limits(),
                                        0,
                                        () -> 0L,
                                        null,
                                        meters),
                                log,
                                meters,
                                SETTINGS,
                                Clock.systemUTC()))
                .controllerAdvice(new ProblemHandler())
                .argumentResolvers(a -> a.addCustomResolver(new Acme()))
                .httpMessageCodecs(
                        c -> c.defaultCodecs().jacksonJsonEncoder(new JacksonJsonEncoder(MAPPER)))
                .build();
    }

    private static final class Acme implements HandlerMethodArgumentResolver {
        @Override
        public boolean supportsParameter(MethodParameter parameter) {
            return parameter.getParameterType() == Caller.class;
        }

        @Override
        public Mono<Object> resolveArgument(
                MethodParameter parameter, BindingContext context, ServerWebExchange exchange) {
            return Mono.just(new Caller("acme", "key-1", Set.of("ingest"), List.of()));
        }
    }
}
