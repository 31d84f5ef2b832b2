package io.mirante.setup;

import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicExistsException;

/** Creates the topics of {@link Topics} that do not exist yet; leaves those that do as they are. */
public final class TopicSetup {

    /** How long Kafka may take for one answer. */
    static final Duration LIMIT = Duration.ofSeconds(30);

    private TopicSetup() {}

    /**
     * Creates what is missing.
     *
     * @return the names of the topics made
     * @throws IllegalStateException when Kafka does not answer within 30 s or refuses
     */
    public static List<String> createMissing(String bootstrapServers) {
        return createMissing(bootstrapServers, LIMIT);
    }

    /**
     * Creates what is missing, and the topic that a tenant's own producers write to, on one connection.
     *
     * @return the names of the topics made
     * @throws IllegalStateException when Kafka does not answer within 30 s or refuses
     */
    public static List<String> createMissing(String bootstrapServers, String tenant) {
        var wanted = new ArrayList<>(Topics.all());
        wanted.add(Topics.ingest(tenant));
        return create(bootstrapServers, LIMIT, wanted);
    }

    /**
     * Creates the topic that a tenant's own producers write to, unless it is there.
     *
     * @return the names of the topics made, none or one
     */
    public static List<String> createIngest(String bootstrapServers, String tenant) {
        return create(bootstrapServers, LIMIT, List.of(Topics.ingest(tenant)));
    }

    static List<String> createMissing(String bootstrapServers, Duration limit) {
        return create(bootstrapServers, limit, Topics.all());
    }

    private static List<String> create(
            String bootstrapServers, Duration limit, List<Topic> wanted) {
        int millis = Math.toIntExact(limit.toMillis());
        try (var admin =
                Admin.create(
                        Map.of(
                                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers,
                                AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis,
                                AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis))) {
            Set<String> existing = admin.listTopics().names().get();
            var missing =
                    wanted.stream().filter(topic -> !existing.contains(topic.name())).toList();
            var made = admin.createTopics(missing.stream().map(TopicSetup::newTopic).toList());
            for (var creation : made.values().values()) {
                try {
                    creation.get();
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
        } catch (ExecutionException e) {
            throw new IllegalStateException(
                    e.getCause() instanceof TimeoutException
                            ? "no Kafka answers at "
                                    + bootstrapServers
                                    + " within "
                                    + limit.toSeconds()
                                    + " s"
                            : "Kafka at "
                                    + bootstrapServers
                                    + " did not create the topics: "
                                    + reason(e),
                    e);
        } catch (KafkaException e) {
            throw new IllegalStateException(
                    "Kafka cannot be reached at " + bootstrapServers + ": " + reason(e), e);
        }
    }

    private static String reason(Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }

    /** Replication is the broker's default, so that a cluster of three decides for itself. */
    private static NewTopic newTopic(Topic topic) {
        return new NewTopic(topic.name(), Optional.of(topic.partitions()), Optional.empty())
                .configs(topic.configs());
    }
}
