package io.mirante.setup;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;

/** Creates the topics of {@link Topics} that do not exist yet; leaves those that do as they are. */
public final class TopicSetup {

    private static final int TIMEOUT_SECONDS = 30;

    private TopicSetup() {}

    /**
     * Creates what is missing.
     *
     * @return the names of the topics made
     * @throws IllegalStateException when Kafka does not answer within 30 s or refuses
     */
    public static List<String> createMissing(String bootstrapServers) {
        try (var admin =
                Admin.create(
                        Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers))) {
            Set<String> existing =
                    admin.listTopics().names().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            var missing =
                    Topics.all().stream()
                            .filter(topic -> !existing.contains(topic.name()))
                            .toList();
            var made = admin.createTopics(missing.stream().map(TopicSetup::newTopic).toList());
            for (var creation : made.values().values()) {
                try {
                    creation.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
                } catch (ExecutionException e) {
                    if (!(e.getCause() instanceof TopicExistsException)) {
                        throw e;
                    }
                }
            }
            return missing.stream().map(Topic::name).toList();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while creating topics", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(
                    "Kafka at " + bootstrapServers + " did not create the topics: " + e, e);
        }
    }

    /** Replication is the broker's default, so that a cluster of three decides for itself. */
    private static NewTopic newTopic(Topic topic) {
        return new NewTopic(topic.name(), Optional.of(topic.partitions()), Optional.empty())
                .configs(topic.configs());
    }
}
