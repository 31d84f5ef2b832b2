package io.mirante.core;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.platform.messaging.BatchRunner;
import io.mirante.platform.messaging.Parser;
import io.mirante.platform.messaging.Received;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.messaging.Message;
import org.springframework.r2dbc.core.DatabaseClient;
import reactor.core.publisher.Mono;

/** A service that counts events: the smallest that uses the whole delivery core. */
@SpringBootApplication
public class CoreApplication {

    public static void main(String[] args) {
        SpringApplication.run(CoreApplication.class, args);
    }

    record Event(String tenantId, String eventId, int weight) {}

    /** Ids of events that the handler fails on for now. */
    static final Set<String> BROKEN = ConcurrentHashMap.newKeySet();

    @Bean
    Consumer<Message<List<byte[]>>> countEvents(BatchRunner runner) {
        return runner.storing("countEvents", Parser.json(Event.class), CoreApplication::count);
    }

    private static Mono<Void> count(List<Received<Event>> fresh, DatabaseClient db) {
        if (fresh.stream().anyMatch(r -> r.value().weight() < 0)) {
            return Mono.error(new IllegalArgumentException("a weight below 0 breaks the handler"));
        }
        if (fresh.stream().anyMatch(r -> BROKEN.contains(r.value().eventId()))) {
            return Mono.error(new IllegalStateException("broken for ana@example.com for now"));
        }
        return db.sql(
                        "INSERT INTO counted (tenant_id, event_id) SELECT * FROM UNNEST($1::text[], $2::text[])"
                                + " ON CONFLICT (tenant_id, event_id) DO UPDATE SET times = counted.times + 1")
                .bind(0, fresh.stream().map(r -> r.value().tenantId()).toArray(String[]::new))
                .bind(1, fresh.stream().map(r -> r.value().eventId()).toArray(String[]::new))
                .then();
    }

    static byte[] json(Event event) {
        return Json.mapper().writeValueAsBytes(event);
    }

    static final String TENANT = CloudHeaders.TENANT;
}
