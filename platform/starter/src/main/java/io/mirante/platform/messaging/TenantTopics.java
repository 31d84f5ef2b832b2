package io.mirante.platform.messaging;

import io.mirante.contracts.Topics;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;
import reactor.core.publisher.Mono;

/** Creates the topic that a tenant's own producers write to. For whoever creates tenants. Thread-safe. */
public final class TenantTopics {

    private final Admin admin;

    TenantTopics(Admin admin) {
        this.admin = admin;
    }

    /** Creates {@code mirante.ingest.<tenant>} unless it is there; an error when Kafka does not. */
    public Mono<Void> create(String tenant) {
        return Mono.defer(() -> {
            var topic = Topics.ingest(tenant);
            var wanted =
                    new NewTopic(topic.name(), Optional.of(topic.partitions()), Optional.empty())
                            .configs(topic.configs());
            return Mono.fromFuture(() ->
                            admin.createTopics(List.of(wanted))
                                    .all()
                                    .toCompletionStage()
                                    .toCompletableFuture())
                    .onErrorResume(
                            e -> causeOf(e) instanceof TopicExistsException, e -> Mono.empty());
        });
    }

    private static Throwable causeOf(Throwable e) {
        return e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    }
}
