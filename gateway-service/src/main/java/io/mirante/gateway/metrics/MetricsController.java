package io.mirante.gateway.metrics;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.keys.Door;
import io.mirante.gateway.keys.PresentedKey;
import io.mirante.gateway.keys.Principal;
import io.mirante.gateway.limits.RequestLimits;
import io.mirante.gateway.problem.Problem;
import io.mirante.gateway.problem.Problems;
import io.mirante.gateway.routing.Service;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * {@code GET /metrics}: every service's metrics. Open to loopback, where no proxy forwards for someone else; all others
 * need a key with scope {@code platform}. A service that does not answer within two seconds is left out.
 */
@RestController
class MetricsController {

    private static final Logger LOG = LoggerFactory.getLogger(MetricsController.class);
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final MediaType TEXT =
            new MediaType(
                    MediaType.TEXT_PLAIN, java.util.Map.of("version", "0.0.4", "charset", "utf-8"));

    private final GatewaySettings settings;
    private final PrometheusMeterRegistry own;
    private final Door door;
    private final Problems problems;
    private final RequestLimits limits;
    private final WebClient client =
            WebClient.builder()
                    .codecs(c -> c.defaultCodecs().maxInMemorySize(8 * 1024 * 1024))
                    .build();

    MetricsController(
            GatewaySettings settings,
            PrometheusMeterRegistry own,
            Door door,
            Problems problems,
            RequestLimits limits) {
        this.settings = settings;
        this.own = own;
        this.door = door;
        this.problems = problems;
        this.limits = limits;
    }

    @GetMapping("/metrics")
    Mono<Void> metrics(ServerWebExchange exchange) {
        if (local(exchange.getRequest())) {
            return write(exchange);
        }
        var hash = PresentedKey.hashOf(exchange.getRequest().getHeaders());
        if (hash == null) {
            return problems.answer(exchange, Problem.unauthorized());
        }
        var client = exchange.getRequest().getRemoteAddress();
        var left = limits.unknownKeysOf(client);
        if (!left.passes() && !door.knows(hash)) {
            limits.count(left);
            left.write(exchange.getResponse().getHeaders());
            return problems.answer(
                    exchange,
                    HttpStatus.TOO_MANY_REQUESTS,
                    "rate-limited",
                    "too many wrong keys from this address");
        }
        return door.open(hash)
                .map(Optional::of)
                .switchIfEmpty(
                        Mono.fromSupplier(() -> {
                            limits.wrongKeyOf(client);
                            return Optional.<Principal>empty();
                        }))
                .flatMap(found -> answer(exchange, found.orElse(null)));
    }

    private Mono<Void> answer(ServerWebExchange exchange, @Nullable Principal principal) {
        if (principal == null) {
            return problems.answer(exchange, Problem.unauthorized());
        }
        return principal.may("platform")
                ? write(exchange)
                : problems.answer(
                        exchange,
                        HttpStatus.FORBIDDEN,
                        "missing-scope",
                        "the key lacks the scope platform");
    }

    static boolean local(ServerHttpRequest request) {
        InetSocketAddress remote = request.getRemoteAddress();
        return remote != null
                && remote.getAddress() != null
                && remote.getAddress().isLoopbackAddress()
                && !request.getHeaders().containsHeader("X-Forwarded-For")
                && !request.getHeaders().containsHeader("Forwarded");
    }

    private Mono<Void> write(ServerWebExchange exchange) {
        var response = exchange.getResponse();
        return Flux.fromIterable(settings.services().entrySet())
                .flatMapSequential(e -> page(e.getKey(), e.getValue()), 16)
                .reduce(
                        new JoinedMetrics().add(Service.GATEWAY.fullName(), own.scrape()),
                        (joined, page) -> joined.add(page.service().fullName(), page.text()))
                .flatMap(joined -> {
                    response.getHeaders().setContentType(TEXT);
                    return response.writeWith(
                            Mono.fromSupplier(() ->
                                    response.bufferFactory()
                                            .wrap(joined.page().getBytes(StandardCharsets.UTF_8))));
                });
    }

    private record Page(Service service, String text) {}

    private Mono<Page> page(Service service, GatewaySettings.Target target) {
        return client.get()
                .uri(target.managementUrl() + "/actuator/prometheus")
                .accept(MediaType.TEXT_PLAIN)
                .retrieve()
                .bodyToMono(String.class)
                .timeout(PATIENCE)
                .map(text -> new Page(service, text))
                .onErrorResume(e -> {
                    LOG.info("{} gives no metrics: {}", service.fullName(), e.getMessage());
                    return Mono.empty();
                });
    }
}
