package io.mirante.ingestion.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.mirante.contracts.CloudHeaders;
import io.mirante.contracts.Topics;
import io.mirante.embedded.FreePorts;
import io.mirante.embedded.KafkaServer;
import io.mirante.ingestion.log.EventLog;
import io.mirante.ingestion.log.Logs;
import io.mirante.testkit.TcpProxy;
import io.mirante.testkit.TcpProxy.Fault;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.http.MediaType;
import org.springframework.test.web.reactive.server.FluxExchangeResult;
import org.springframework.test.web.reactive.server.WebTestClient;

/** A bad network between the way in and its broker: the real producers, a real broker, a proxy between them. */
@Tag("fault")
class KafkaNetworkIT {

    private static final Duration ANSWERED = Duration.ofMillis(1_100);
    private static final TopicPartition RAW = new TopicPartition(Topics.EVENTS_RAW.name(), 0);

    private static TcpProxy proxy;
    private static KafkaServer kafka;

    private final AtomicInteger made = new AtomicInteger();
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final Set<String> unknown = ConcurrentHashMap.newKeySet();
    private EventLog log;
    private WebTestClient client;

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        int port = FreePorts.next();
        proxy = new TcpProxy(port);
        // Every client is sent to the proxy, whichever way it came.
        kafka =
                KafkaServer.start(
                        KafkaServer.Settings.in(folder.resolve("kafka"))
                                .forTests()
                                .withPort(port)
                                .withProperty(
                                        "advertised.listeners",
                                        "BROKER://127.0.0.1:" + proxy.port()));
        try (var admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.createTopics(
                            List.of(
                                    new NewTopic(RAW.topic(), 1, (short) 1),
                                    new NewTopic(Topics.EVENTS_REJECTED.name(), 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    @AfterAll
    static void stop() {
        kafka.kill();
        proxy.close();
    }

    @BeforeEach
    void connect() {
        log = Logs.at(servers());
        client =
                Slice.client(log, new SimpleMeterRegistry())
                        .mutate()
                        .responseTimeout(Duration.ofSeconds(20))
                        .build();
        await().atMost(Duration.ofMinutes(2)).until(() -> send(5) == 200 && send(1) == 202);
    }

    @AfterEach
    void heal() {
        proxy.fault(Fault.NONE);
        log.close();
    }

    private static String servers() {
        return "127.0.0.1:" + proxy.port();
    }

    @Test
    void anAcknowledgementThatIsLostOnItsWayLeavesOneRecord() {
        for (int size : new int[] {1, 20}) {
            int struck = proxy.struck();
            proxy.fault(Fault.LOSE_ANSWERS);
            var healing =
                    Thread.ofVirtual()
                            .start(() -> {
                                await().until(() -> proxy.struck() > struck);
                                proxy.fault(Fault.NONE);
                            });
            // The producer sends again on a new connection; the broker knows the record's number.
            assertThat(send(size)).isEqualTo(size == 1 ? 202 : 200);
            assertThat(proxy.struck()).isGreaterThan(struck);
            await().until(() -> !healing.isAlive());
        }
        var stored = stored();
        assertThat(stored).containsAll(acknowledged).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLD_ANSWERS", "BLACK_HOLE", "LOSE_ANSWERS", "RESET_REQUESTS"})
    void whileNothingIsAcknowledgedTheAnswerIs503WithinASecondAndThenAllIsWell(Fault fault) {
        proxy.fault(fault);
        for (int i = 0; i < 4; i++) {
            for (int size : new int[] {1, 20}) {
                long begin = System.nanoTime();
                var answer = post(size);
                assertThat(answer.getStatus().value()).isEqualTo(503);
                assertThat(answer.getResponseHeaders().getFirst("Retry-After")).isEqualTo("1");
                assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(ANSWERED);
            }
        }
        proxy.fault(Fault.NONE);
        await().atMost(Duration.ofSeconds(10)).until(() -> send(1) == 202 && send(20) == 200);
        judge();
    }

    @Test
    void threeHundredMillisecondsMoreAreNoReasonToRefuse() {
        proxy.fault(Fault.DELAY);
        for (int i = 0; i < 5; i++) {
            assertThat(send(1)).isEqualTo(202);
            assertThat(send(20)).isEqualTo(200);
        }
        judge();
    }

    @Test
    void underLoadAndAnyFaultWhatIsAcknowledgedIsStored() {
        long seed = Long.getLong("mirante.fault.seed", System.currentTimeMillis());
        System.out.println("seed " + seed);
        var random = new Random(seed);
        var going = new AtomicBoolean(true);
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < 4; i++) {
            threads.add(
                    Thread.ofVirtual()
                            .start(() -> {
                                while (going.get()) {
                                    send(1 + made.get() % 30);
                                }
                            }));
        }
        int faults = Math.max(4, Integer.getInteger("mirante.fault.runs", 10));
        for (int i = 0; i < faults; i++) {
            proxy.fault(Fault.values()[1 + random.nextInt(Fault.values().length - 1)]);
            pause(random.nextInt(1_500));
            proxy.fault(Fault.NONE);
            int before = acknowledged.size();
            await().atMost(Duration.ofSeconds(10)).until(() -> acknowledged.size() > before + 20);
        }
        going.set(false);
        await().atMost(Duration.ofMinutes(2))
                .until(() -> threads.stream().noneMatch(Thread::isAlive));
        judge();
    }

    /** I1 and I2: what is acknowledged is stored, and what is stored was sent. */
    private void judge() {
        var stored = new HashSet<>(stored());
        assertThat(stored).containsAll(acknowledged);
        stored.removeAll(acknowledged);
        assertThat(unknown).containsAll(stored);
    }

    private int send(int size) {
        return post(size).getStatus().value();
    }

    private FluxExchangeResult<String> post(int size) {
        var ids = new ArrayList<String>();
        for (int i = 0; i < size; i++) {
            ids.add(log.hashCode() + "-" + made.incrementAndGet());
        }
        var events =
                ids.stream()
                        .map(id ->
                                "{\"event_id\": \"%s\", \"user_id\": \"u\", \"event_type\": \"login\"}"
                                        .formatted(id))
                        .toList();
        var answer =
                client.post()
                        .uri(size == 1 ? "/api/v1/events" : "/api/v1/events/batch")
                        .contentType(MediaType.APPLICATION_JSON)
                        .bodyValue(
                                size == 1
                                        ? "{\"event\": " + events.getFirst() + "}"
                                        : "{\"events\": [" + String.join(",", events) + "]}")
                        .exchange()
                        .returnResult(String.class);
        int status = answer.getStatus().value();
        if (status == 200 || status == 202) {
            acknowledged.addAll(ids);
        } else {
            assertThat(status).isIn(207, 503);
            unknown.addAll(ids);
        }
        return answer;
    }

    /** Ids on the raw topic, of this test's own events. */
    private List<String> stored() {
        try (var consumer =
                new KafkaConsumer<>(
                        Map.of("bootstrap.servers", servers()),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            consumer.assign(List.of(RAW));
            consumer.seekToBeginning(List.of(RAW));
            long end = consumer.endOffsets(List.of(RAW)).get(RAW);
            var ids = new ArrayList<String>();
            while (consumer.position(RAW) < end) {
                consumer.poll(Duration.ofMillis(200))
                        .forEach(r ->
                                ids.add(
                                        new String(
                                                r.headers().lastHeader(CloudHeaders.ID).value(),
                                                StandardCharsets.UTF_8)));
            }
            ids.removeIf(id -> !id.startsWith(log.hashCode() + "-"));
            return ids;
        }
    }

    /** A time of the test's own choosing, not a condition. */
    private static void pause(long millis) {
        long end = System.nanoTime() + Duration.ofMillis(millis).toNanos();
        long left;
        while ((left = end - System.nanoTime()) > 0) {
            LockSupport.parkNanos(left);
        }
    }
}
