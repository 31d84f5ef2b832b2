package io.mirante.testkit;

import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Json;
import io.mirante.contracts.Keys;
import io.mirante.contracts.Topics;
import io.mirante.contracts.gateway.PersonErased;
import io.mirante.contracts.gateway.PersonErasure;
import io.mirante.contracts.gateway.TenantSettings;
import io.mirante.platform.messaging.Outgoing;
import io.mirante.platform.security.TokenMinter;
import io.mirante.platform.tenants.Tenants;
import java.io.File;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.springframework.context.ApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;
import org.springframework.web.reactive.function.client.ClientRequest;

/** What a test does with the service it started and the parts around it. Thread-safe. */
public final class Mesh {

    /** Scopes of {@link #client(String)}. */
    public static final List<String> ALL_SCOPES =
            List.of(
                    "ingest",
                    "analytics.view",
                    "analytics.manage",
                    "admin",
                    "platform",
                    "internal");

    private static final AtomicInteger TENANTS = new AtomicInteger();
    private static final String RUN = Long.toString(System.currentTimeMillis(), 36);

    private final Infrastructure infrastructure;
    private final String service;
    private final ApplicationContext context;
    private final TokenMinter minter;
    private final KafkaProducer<byte[], byte[]> producer;

    Mesh(Infrastructure infrastructure, String service, ApplicationContext context) {
        this.infrastructure = infrastructure;
        this.service = service;
        this.context = context;
        this.minter = TokenMinter.of(infrastructure.gatewayKey(), Clock.systemUTC());
        this.producer =
                new KafkaProducer<>(
                        Map.of(
                                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                infrastructure.bootstrapServers(),
                                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
                                ByteArraySerializer.class,
                                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
                                ByteArraySerializer.class,
                                ProducerConfig.ACKS_CONFIG,
                                "all"));
    }

    public Infrastructure infrastructure() {
        return infrastructure;
    }

    /** A tenant no other test has. */
    public String newTenant() {
        return "t" + TENANTS.incrementAndGet() + "-" + RUN;
    }

    /**
     * Gives a tenant settings, as the gateway would publish them, and waits until the service under test knows them.
     *
     * @param json a merge patch of what the tenant has, such as {@code {"currency": "BRL"}}
     */
    public TenantSettings settings(String tenant, String json) {
        var tenants = context.getBean(Tenants.class);
        var before = tenants.settings(tenant);
        var settings = before.patched(Json.mapper().readTree(json), before.revision() + 1);
        send(
                new Outgoing(
                        Topics.TENANTS.name(),
                        null,
                        Keys.of(tenant),
                        Json.mapper().writeValueAsBytes(settings),
                        Map.of(CloudHeaders.TENANT, tenant, CloudHeaders.TYPE, "tenant_settings")));
        Awaitility.await("settings of " + tenant)
                .pollInterval(Duration.ofMillis(20))
                .atMost(Duration.ofSeconds(5))
                .until(() -> tenants.settings(tenant).revision() >= settings.revision());
        return settings;
    }

    /**
     * Orders the erasure of a person, as the gateway does once etl has answered, and waits for what the service under test
     * answers.
     *
     * @param personNos the person's numbers; none = as requested, before etl has answered
     */
    public PersonErased erase(String tenant, String userId, Long... personNos) {
        var now = Instant.now();
        boolean numbered = personNos.length > 0;
        return erase(
                new PersonErasure(
                        tenant,
                        PersonErasure.hash(tenant, userId),
                        userId,
                        "gateway_" + UUID.randomUUID(),
                        numbered ? PersonErasure.NUMBERED : PersonErasure.REQUESTED,
                        now,
                        numbered ? now : null,
                        List.of(personNos),
                        1));
    }

    /** Sends an erasure as it stands, and waits for what the service under test answers at last. */
    public PersonErased erase(PersonErasure erasure) {
        send(
                new Outgoing(
                        Topics.ERASURES.name(),
                        null,
                        Keys.of(erasure.tenantId(), erasure.userHash()),
                        Json.mapper().writeValueAsBytes(erasure),
                        Map.of(CloudHeaders.TENANT, erasure.tenantId())));
        return Awaitility.await("erasure in " + service)
                .pollInterval(Duration.ofMillis(100))
                .atMost(Duration.ofMinutes(1))
                .until(
                        () ->
                                read(Topics.ERASURES_DONE.name()).stream()
                                        .map(r ->
                                                Json.mapper()
                                                        .readValue(r.value(), PersonErased.class))
                                        .filter(done ->
                                                done.erasureId().equals(erasure.erasureId())
                                                        && done.finished())
                                        .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    /** Sends and waits for Kafka's acknowledgement. */
    public RecordMetadata send(Outgoing record) {
        return sendAll(List.of(record)).getFirst();
    }

    /** Sends all, in order, and waits for every acknowledgement. */
    public List<RecordMetadata> sendAll(List<Outgoing> records) {
        var sent = new ArrayList<Future<RecordMetadata>>();
        records.forEach(r -> sent.add(producer.send(r.toRecord())));
        producer.flush();
        var acknowledged = new ArrayList<RecordMetadata>();
        for (var future : sent) {
            try {
                acknowledged.add(future.get());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
        return acknowledged;
    }

    /** Everything committed on a topic at this moment, partition by partition. */
    public List<ConsumerRecord<byte[], byte[]>> read(String topic) {
        try (var consumer =
                new KafkaConsumer<byte[], byte[]>(
                        Map.of(
                                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                infrastructure.bootstrapServers(),
                                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
                                ByteArrayDeserializer.class,
                                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG,
                                ByteArrayDeserializer.class,
                                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                                "read_committed",
                                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                                false))) {
            var partitions =
                    consumer.partitionsFor(topic).stream()
                            .map(p -> new TopicPartition(topic, p.partition()))
                            .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            var records = new ArrayList<ConsumerRecord<byte[], byte[]>>();
            while (partitions.stream()
                    .anyMatch(p -> consumer.position(p) < ends.getOrDefault(p, 0L))) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
            return records;
        }
    }

    /** A token as the gateway would sign it. */
    public String token(String tenant, String... scopes) {
        return minter.mint(tenant, "test", List.of(scopes), List.of());
    }

    /** A client of the service with a token of all scopes. */
    public WebTestClient client(String tenant) {
        return client(tenant, ALL_SCOPES.toArray(String[]::new));
    }

    /** A client of the service with tokens of these scopes, each request with one that is still good. */
    public WebTestClient client(String tenant, String... scopes) {
        return withTokens(anonymous(), tenant, scopes);
    }

    /** A client of another replica of the service, with tokens of these scopes. */
    public WebTestClient client(Replica replica, String tenant, String... scopes) {
        return withTokens(anonymous(Integer.toString(replica.port())), tenant, scopes);
    }

    private WebTestClient withTokens(WebTestClient client, String tenant, String... scopes) {
        return client.mutate()
                .filter((request, next) ->
                        next.exchange(
                                ClientRequest.from(request)
                                        .headers(headers ->
                                                headers.setBearerAuth(token(tenant, scopes)))
                                        .build()))
                .build();
    }

    /** A client of the service without a token. */
    public WebTestClient anonymous() {
        return anonymous(context.getEnvironment().getRequiredProperty("local.server.port"));
    }

    private static WebTestClient anonymous(String port) {
        return WebTestClient.bindToServer()
                .baseUrl("http://127.0.0.1:" + port)
                .responseTimeout(Duration.ofSeconds(30))
                .codecs(c -> c.defaultCodecs().maxInMemorySize(32 * 1024 * 1024))
                .build();
    }

    /** The owner's connection, its search path on the service's schema; the owner sees all tenants. */
    public Connection jdbc() throws SQLException {
        var connection = infrastructure.connect();
        connection.setSchema(service);
        return connection;
    }

    /** A connection as one of the service's own roles, {@code app} or {@code stream}. */
    public Connection jdbc(String role) throws SQLException {
        var settings = infrastructure.settings(service);
        return java.sql.DriverManager.getConnection(
                "jdbc:" + settings.get("mirante.database.url"),
                service + "_" + role,
                settings.get("mirante.database." + role + "-password"));
    }

    /**
     * Starts another replica of a service in a JVM of its own, on the same infrastructure.
     *
     * @param settings properties on top, such as {@code mirante.fault.halt}
     */
    public Replica replica(Class<?> application, Map<String, String> settings) {
        var command = new ArrayList<String>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(
                List.of(
                        "-Xmx384m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        application.getName()));
        Map<String, String> all = new TreeMap<>(infrastructure.settings(service));
        all.put("server.port", "0");
        all.putAll(settings);
        all.forEach((name, value) -> command.add("--" + name + "=" + value));
        try {
            var log =
                    File.createTempFile(
                            service + "-replica-", ".log", infrastructure.folder().toFile());
            var process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log)
                            .start();
            return new Replica(process, log.toPath());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
