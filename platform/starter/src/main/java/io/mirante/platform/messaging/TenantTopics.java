package io.mirante.platform.messaging;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.TopicExistsException;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Creates the topics that tenants' own producers write to. For whoever creates tenants. Thread-safe. */
public final class TenantTopics {

    private final Admin admin;

    TenantTopics(Admin admin) {
        this.admin = admin;
    }

    /** Creates {@code mirante.ingest.<tenant>} unless it is there; an error when Kafka does not. */
    public Mono<Void> create(String tenant) {
        return Mono.defer(() -> create(Topics.ingest(tenant))).then();
    }

    /**
     * Creates those that Kafka does not have.
     *
     * @return the names of the topics made; an error when Kafka does not make one, those before it are there
     */
    public Mono<List<String>> createMissing(Collection<String> tenants) {
        return future(() -> admin.listTopics().names())
                .flatMapMany(existing -> Flux.fromStream(missing(tenants, existing)))
                .concatMap(this::create)
                .collectList();
    }

    private static Stream<Topic> missing(Collection<String> tenants, Set<String> existing) {
        return tenants.stream()
                .map(Topics::ingest)
                .filter(topic -> !existing.contains(topic.name()));
    }

    /** Completes with the topic's name; empty when somebody else was faster. */
    private Mono<String> create(Topic topic) {
        var wanted =
                new NewTopic(topic.name(), Optional.of(topic.partitions()), Optional.empty())
                        .configs(topic.configs());
        return future(() -> admin.createTopics(List.of(wanted)).all())
                .thenReturn(topic.name())
                .onErrorResume(e -> causeOf(e) instanceof TopicExistsException, e -> Mono.empty());
    }

    private static <T> Mono<T> future(Supplier<KafkaFuture<T>> call) {
        return Mono.fromFuture(() -> call.get().toCompletionStage().toCompletableFuture());
    }

    private static Throwable causeOf(Throwable e) {
        return e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    }
}
