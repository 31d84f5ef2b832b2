package io.mirante.platform.messaging;

import io.micrometer.core.instrument.MeterRegistry;
import io.mirante.contracts.Topic;
import io.mirante.contracts.Topics;
import io.mirante.platform.erasure.Erasures;
import io.mirante.platform.persistence.PersistenceAutoConfiguration;
import io.mirante.platform.persistence.StreamDatabase;
import io.mirante.platform.tenants.Tenants;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.cloud.stream.config.ListenerContainerCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.Environment;
import org.springframework.kafka.event.ListenerContainerIdleEvent;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.ExponentialBackOff;

/** The delivery core for a service that has Kafka and a database. */
@AutoConfiguration(after = PersistenceAutoConfiguration.class)
@ConditionalOnProperty("mirante.messaging.bootstrap-servers")
@ConditionalOnBean(StreamDatabase.class)
@EnableConfigurationProperties(MessagingSettings.class)
public class MessagingAutoConfiguration {

    @Bean
    static UnusedProcessors unusedProcessors() {
        return new UnusedProcessors();
    }

    @Bean(destroyMethod = "close")
    @ConditionalOnMissingBean
    Admin kafkaAdminClient(MessagingSettings settings) {
        var config = settings.client();
        config.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, "5000");
        config.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, "30000");
        return Admin.create(config);
    }

    @Bean
    TenantTopics tenantTopics(Admin admin) {
        return new TenantTopics(admin);
    }

    /** For single records and state: no linger. */
    @Bean(destroyMethod = "close")
    Producer<byte[], byte[]> platformProducer(MessagingSettings settings) {
        return new KafkaProducer<>(producer(settings));
    }

    @Bean
    @ConditionalOnMissingBean
    EventSender eventSender(@Qualifier("platformProducer") Producer<byte[], byte[]> producer) {
        return new EventSender(producer);
    }

    @Bean
    Positions positions(StreamDatabase stream) {
        return new Positions(stream);
    }

    @Bean
    Assignments assignments(Positions positions, Admin admin, MessagingSettings settings) {
        return new Assignments(positions, admin, settings.acceptRecreatedTopics());
    }

    @Bean(destroyMethod = "close")
    TransactionalSender transactionalSender(
            MessagingSettings settings,
            @Value("${spring.application.name}") String service,
            @Value("${mirante.instance}") String instance) {
        return new TransactionalSender(
                id -> {
                    var config = producer(settings);
                    config.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
                    config.put(
                            ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
                            Math.toIntExact(settings.transactionTimeout().toMillis()));
                    config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 30_000);
                    config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
                    config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
                    config.put(ProducerConfig.BATCH_SIZE_CONFIG, 262_144);
                    return new KafkaProducer<>(config);
                },
                service + "-" + instance + "-");
    }

    @Bean
    @ConditionalOnMissingBean
    FaultPoint faultPoint() {
        return (moment, consumer) -> {};
    }

    @Bean
    BuriedRecords buriedRecords() {
        return new BuriedRecords();
    }

    @Bean
    BatchRunner batchRunner(
            StreamDatabase stream,
            Positions positions,
            Assignments assignments,
            BuriedRecords buried,
            EventSender sender,
            TransactionalSender publisher,
            FaultPoint faults,
            MeterRegistry meters,
            MessagingSettings settings,
            Tenants tenants,
            Erasures erasures,
            @Value("${mirante.database.schema}") String service) {
        return new BatchRunner(
                stream,
                positions,
                assignments,
                new DeadLetters(service, sender),
                buried,
                publisher,
                faults,
                meters,
                settings.pollTimeout(),
                tenants,
                erasures);
    }

    @Bean
    DeadLetterController deadLetterController(
            BatchRunner runner,
            Positions positions,
            BuriedRecords buried,
            StreamDatabase stream,
            EventSender sender,
            Tenants tenants,
            MessagingSettings settings,
            Environment environment,
            @Value("${mirante.database.schema}") String service) {
        var topic = new DeadLetterTopic(service, () -> letterConsumer(settings));
        return new DeadLetterController(
                service,
                topic,
                new DeadLetterReplay(
                        topic,
                        runner,
                        positions,
                        buried,
                        stream,
                        sender,
                        read -> readersOf(read, runner, environment)),
                new DeadLetterMasks(tenants),
                buried,
                stream);
    }

    /** The consumers whose binding names the topic. */
    private static List<String> readersOf(
            String topic, BatchRunner runner, Environment environment) {
        return runner.consumers().keySet().stream()
                .filter(name ->
                        Arrays.asList(
                                        environment
                                                .getProperty(
                                                        "spring.cloud.stream.bindings.%s-in-0.destination"
                                                                .formatted(name),
                                                        "")
                                                .split(",", -1))
                                .contains(topic))
                .toList();
    }

    @Bean
    StatePublisher statePublisher(
            ObjectProvider<Publication> publications,
            StreamDatabase stream,
            EventSender sender,
            MeterRegistry meters,
            MessagingSettings settings) {
        return new StatePublisher(
                publications.orderedStream().toList(),
                stream,
                sender,
                meters,
                settings.acceptRecreatedTopics());
    }

    @Bean
    ProgressEmitter progressEmitter(
            Assignments assignments, MessagingSettings settings, EventSender sender, Clock clock) {
        return new ProgressEmitter(
                assignments, settings.progressOf(), () -> plainConsumer(settings), sender, clock);
    }

    @Bean
    AsOf asOf(Positions positions, MessagingSettings settings) {
        return new AsOf(positions, () -> plainConsumer(settings));
    }

    /** Begins to read at once, so that little is left to wait for when the service starts. */
    @Bean(initMethod = "read", destroyMethod = "close")
    Tenants tenants(MessagingSettings settings) {
        return new Tenants(() -> plainConsumer(settings));
    }

    /** Begins to read at once; consumers wait for it. */
    @Bean(initMethod = "read", destroyMethod = "close")
    Erasures erasures(MessagingSettings settings) {
        return new Erasures(() -> plainConsumer(settings));
    }

    @Bean
    HealthIndicator tenantsHealthIndicator(Tenants tenants) {
        return () ->
                tenants.caughtUp()
                        ? Health.up().build()
                        : Health.down()
                                .withDetail(
                                        "reason",
                                        Topics.TENANTS.name()
                                                + " was not read to its end yet; is Kafka up, and"
                                                + " did the set-up step run?")
                                .build();
    }

    @Bean
    RawPollConverter rawPollConverter() {
        return new RawPollConverter();
    }

    /** Repeats a failed poll for ever, with back-off; what cannot be processed never gets here. */
    @Bean
    @ConditionalOnMissingBean(ListenerContainerCustomizer.class)
    ListenerContainerCustomizer<AbstractMessageListenerContainer<?, ?>> repeatForEver() {
        return (container, destination, group) -> {
            var backOff = new ExponentialBackOff(200, 2);
            backOff.setMaxInterval(10_000);
            var handler = new DefaultErrorHandler(null, backOff);
            handler.setClassifications(Map.of(), true);
            handler.setLogLevel(org.springframework.kafka.KafkaException.Level.WARN);
            container.setCommonErrorHandler(handler);
        };
    }

    @Bean
    IdleListener idleListener(BatchRunner runner) {
        return new IdleListener(runner);
    }

    static final class IdleListener {
        private final BatchRunner runner;

        IdleListener(BatchRunner runner) {
            this.runner = runner;
        }

        /** Comes on the consumer's own thread. */
        @EventListener
        public void onIdle(ListenerContainerIdleEvent event) {
            runner.idle(event.getConsumer());
        }
    }

    @Bean
    HealthIndicator kafkaHealthIndicator(Admin admin) {
        var within =
                new DescribeClusterOptions()
                        .timeoutMs(Math.toIntExact(KafkaHealth.LIMIT.toMillis()));
        return new KafkaHealth(
                () ->
                        admin.describeCluster(within)
                                .clusterId()
                                .toCompletionStage()
                                .toCompletableFuture(),
                System::nanoTime);
    }

    @Bean
    HealthIndicator consumersHealthIndicator(Assignments assignments) {
        return () -> {
            var stopped = new HashMap<String, Object>();
            assignments
                    .states()
                    .forEach(s -> {
                        var reason = s.stopped();
                        if (reason != null) {
                            stopped.put(s.name(), reason);
                        }
                    });
            return stopped.isEmpty()
                    ? Health.up().build()
                    : Health.down().withDetails(stopped).build();
        };
    }

    private static Map<String, Object> producer(MessagingSettings settings) {
        var config = settings.client();
        config.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        config.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 5_000);
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 20_000);
        config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topic.MAX_RECORD_BYTES);
        return config;
    }

    private static Consumer<byte[], byte[]> plainConsumer(MessagingSettings settings) {
        return new KafkaConsumer<>(consumer(settings));
    }

    /** For one short look: gives up before the gateway does, and holds little. */
    private static Consumer<byte[], byte[]> letterConsumer(MessagingSettings settings) {
        var config = consumer(settings);
        config.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        config.put(
                ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                Math.toIntExact(Duration.ofSeconds(5).toMillis()));
        config.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, Topic.MAX_RECORD_BYTES);
        config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Topic.MAX_RECORD_BYTES);
        return new KafkaConsumer<>(config);
    }

    private static Map<String, Object> consumer(MessagingSettings settings) {
        var config = settings.consumer();
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        return config;
    }
}
