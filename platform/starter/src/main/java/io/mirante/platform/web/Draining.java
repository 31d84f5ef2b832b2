package io.mirante.platform.web;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.Ordered;
import org.springframework.http.HttpHeaders;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebFilter;
import org.springframework.web.server.WebFilterChain;
import reactor.core.publisher.Mono;

/**
 * Told to end, a service first asks its clients to come back on other connections: for a moment it goes on serving, and
 * every answer closes its connection. A server that closes kept-alive connections without that may close one on which a
 * request has just arrived: it is acted upon, and its client never learns of it. Who was not asked anything lately does not
 * wait. Thread-safe.
 */
final class Draining implements WebFilter, Ordered, SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Draining.class);
    private static final long LATELY_NANOS = Duration.ofMinutes(2).toNanos();

    private final Duration time;
    private final AtomicLong lastAsked = new AtomicLong(System.nanoTime() - LATELY_NANOS);
    private volatile boolean draining;
    private volatile boolean running;

    Draining(Duration time) {
        this.time = time;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public Mono<Void> filter(ServerWebExchange exchange, WebFilterChain chain) {
        asked();
        exchange.getResponse()
                .beforeCommit(() -> {
                    if (draining()) {
                        exchange.getResponse().getHeaders().set(HttpHeaders.CONNECTION, "close");
                    }
                    return Mono.empty();
                });
        return chain.filter(exchange);
    }

    /** A request came. */
    void asked() {
        lastAsked.lazySet(System.nanoTime());
    }

    /** Whether answers are to close their connections. */
    boolean draining() {
        return draining;
    }

    @Override
    public void start() {
        draining = false;
        running = true;
    }

    @Override
    public void stop() {
        running = false;
        draining = true;
        if (time.isPositive() && System.nanoTime() - lastAsked.get() < LATELY_NANOS) {
            LOG.info("clients are asked to reconnect for {} ms", time.toMillis());
            try {
                TimeUnit.NANOSECONDS.sleep(time.toNanos());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    /** The first to stop, well before the web server. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }
}
