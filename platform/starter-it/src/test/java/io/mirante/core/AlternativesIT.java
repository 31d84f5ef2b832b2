package io.mirante.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.core.CoreApplication.Event;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.testkit.Mesh;
import io.mirante.testkit.MeshTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.cloud.stream.config.ListenerContainerCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.Message;
import org.springframework.test.context.TestPropertySource;
import org.springframework.util.backoff.FixedBackOff;
import tools.jackson.core.JacksonException;

/**
 * The two ways that architecture rules forbid, and what each loses when poison lies in the middle of a poll. Should one
 * of these tests fail after an upgrade, the way has become safe and the rule may go.
 */
@MeshTest
@Import(AlternativesIT.Ways.class)
@TestPropertySource(
        properties = {
            "spring.application.name=alternatives",
            "spring.cloud.function.definition=typedBatch;failNamedRecord",
            "spring.cloud.stream.bindings.typedBatch-in-0.destination=mirante.clusters",
            "spring.cloud.stream.bindings.typedBatch-in-0.consumer.use-native-decoding=false",
            "spring.cloud.stream.bindings.failNamedRecord-in-0.destination=mirante.alerts"
        })
class AlternativesIT {

    private static final Duration SOON = Duration.ofMinutes(2);

    @Autowired Mesh mesh;
    @Autowired Ways ways;

    @Test
    void aTypedBatchDropsPoisonWithoutAWord() {
        int dead = mesh.read(Topics.dead("alert").name()).size();
        mesh.sendAll(poll(Topics.CLUSTERS.name()));
        await().atMost(SOON).untilAsserted(() -> assertThat(ways.typed).contains("last"));
        assertThat(ways.typed).containsExactly("first", "second", "third", "last");
        assertThat(mesh.read(Topics.dead("alert").name())).hasSize(dead);
    }

    @Test
    void batchListenerFailedExceptionLosesNeighboursOfOneTransaction() {
        mesh.sendAll(poll(Topics.ALERTS.name()));
        await().atMost(SOON).untilAsserted(() -> assertThat(ways.stored).contains("last"));
        assertThat(ways.polls).as("the poison lay inside a poll").anyMatch(size -> size > 1);
        assertThat(ways.stored).containsExactly("third", "last");
    }

    /** Five records in one request, poison third. */
    private static List<Outgoing> poll(String topic) {
        var records = new ArrayList<Outgoing>();
        for (var id : List.of("first", "second", "", "third", "last")) {
            var value =
                    id.isEmpty()
                            ? "{not json".getBytes(StandardCharsets.UTF_8)
                            : CoreApplication.json(new Event("t", id, 1));
            records.add(new Outgoing(topic, 1, Keys.of("t", id), value, Map.of()));
        }
        return records;
    }

    @TestConfiguration(proxyBeanMethods = false)
    static class Ways {

        final List<String> typed = new CopyOnWriteArrayList<>();
        final List<String> stored = new CopyOnWriteArrayList<>();
        final List<Integer> polls = new CopyOnWriteArrayList<>();

        /** Three tries, then the record is skipped, as the framework does when one gives it no other rule. */
        @Bean
        ListenerContainerCustomizer<AbstractMessageListenerContainer<?, ?>> threeTries() {
            return (container, destination, group) ->
                    container.setCommonErrorHandler(
                            new DefaultErrorHandler(new FixedBackOff(0, 2)));
        }

        @Bean
        Consumer<List<Event>> typedBatch() {
            return events -> events.forEach(e -> typed.add(e.eventId()));
        }

        @Bean
        Consumer<Message<List<byte[]>>> failNamedRecord() {
            return message -> {
                var transaction = new ArrayList<String>();
                var values = message.getPayload();
                polls.add(values.size());
                for (int i = 0; i < values.size(); i++) {
                    try {
                        transaction.add(
                                Json.mapper().readValue(values.get(i), Event.class).eventId());
                    } catch (JacksonException e) {
                        // the transaction rolls back: nothing of it is stored
                        throw new BatchListenerFailedException(
                                "poison",
                                ((List<org.apache.kafka.clients.consumer.ConsumerRecord<?, ?>>)
                                                message.getHeaders()
                                                        .get(KafkaHeaders.RAW_DATA, List.class))
                                        .get(i));
                    }
                }
                stored.addAll(transaction);
            };
        }
    }
}
