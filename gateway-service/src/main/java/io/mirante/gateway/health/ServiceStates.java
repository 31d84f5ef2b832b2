package io.mirante.gateway.health;

import io.mirante.contracts.Json;
import io.mirante.gateway.GatewaySettings;
import io.mirante.gateway.routing.Service;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.health.contributor.ReactiveHealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Asks every service's readiness each second, all at once, so that an answer about them takes no call. The gateway's own
 * state is that of its database. Thread-safe; one thread of its own does the asking.
 */
@Component
public final class ServiceStates implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(ServiceStates.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofMillis(2_800);

    /**
     * One service's state.
     *
     * @param status UP or DOWN
     * @param detail why it is not UP; null when it is
     */
    public record State(String status, @Nullable String detail) {
        static final State UP = new State("UP", null);

        static State down(String detail) {
            return new State("DOWN", detail);
        }

        boolean up() {
            return status.equals("UP");
        }
    }

    private record Named(Service service, State state) {}

    private final GatewaySettings settings;
    private final ReactiveHealthIndicator database;
    private final WebClient client = WebClient.create();
    private volatile Map<String, State> states = Map.of();
    private @Nullable ScheduledExecutorService timer;

    ServiceStates(GatewaySettings settings, ReactiveHealthIndicator databaseHealthIndicator) {
        this.settings = settings;
        this.database = databaseHealthIndicator;
    }

    /** Short names and states, as of the last second or so; a service never asked yet is DOWN. */
    public Map<String, State> states() {
        var now = new TreeMap<String, State>();
        for (var service : Service.values()) {
            now.put(service.id(), State.down("not asked yet"));
        }
        now.putAll(states);
        return now;
    }

    private void refresh() {
        try {
            var asked =
                    Flux.fromIterable(settings.services().entrySet())
                            .flatMap(e -> ask(e.getKey(), e.getValue()), 16)
                            .mergeWith(own())
                            .collectMap(n -> n.service().id(), Named::state)
                            .block(PATIENCE.plus(PERIOD));
            if (asked != null) {
                states = Map.copyOf(asked);
            }
        } catch (RuntimeException e) {
            LOG.warn("the services' states cannot be refreshed: {}", e.toString());
        }
    }

    private Mono<Named> own() {
        return database.health()
                .map(health ->
                        health.getStatus().equals(Status.UP)
                                ? State.UP
                                : State.down("database is DOWN"))
                .map(state -> new Named(Service.GATEWAY, state));
    }

    private Mono<Named> ask(Service service, GatewaySettings.Target target) {
        return client.get()
                .uri(target.managementUrl() + "/actuator/health/readiness")
                .exchangeToMono(answer -> answer.bodyToMono(byte[].class))
                .map(ServiceStates::read)
                .timeout(PATIENCE)
                .onErrorResume(e -> Mono.just(State.down("does not answer")))
                .defaultIfEmpty(State.down("does not answer"))
                .map(state -> new Named(service, state));
    }

    private static State read(byte[] body) {
        JsonNode health;
        try {
            health = Json.mapper().readTree(body);
        } catch (JacksonException e) {
            return State.down("its answer cannot be read");
        }
        if (health.path("status").asString("").equals("UP")) {
            return State.UP;
        }
        var parts =
                health.path("components").properties().stream()
                        .filter(part -> !part.getValue().path("status").asString("").equals("UP"))
                        .map(Map.Entry::getKey)
                        .sorted()
                        .toList();
        return State.down(parts.isEmpty() ? "not ready" : String.join(", ", parts) + " not UP");
    }

    @Override
    public void start() {
        var executor =
                Executors.newSingleThreadScheduledExecutor(
                        Thread.ofPlatform().daemon().name("health").factory());
        timer = executor;
        var unused =
                executor.scheduleWithFixedDelay(
                        this::refresh, 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        var executor = timer;
        timer = null;
        if (executor != null) {
            executor.shutdownNow();
        }
    }

    @Override
    public boolean isRunning() {
        return timer != null;
    }
}
