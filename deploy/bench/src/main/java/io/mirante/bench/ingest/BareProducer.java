package io.mirante.bench.ingest;

import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Probes L1 and L2: reactor-netty alone, which answers {@code POST /echo} with the bytes it got, and reactor-netty with a
 * KafkaProducer, which answers {@code POST /send} once Kafka has acknowledged. Producer settings are those that
 * ingestion-service has for single events. Records without a key share a batch, whatever their number; {@code POST /send-keyed}
 * gives each the key of a person, as events have, which spreads them over all partitions. Arguments: port, bootstrap servers, topic.
 */
public final class BareProducer {
    private static final byte[] ANSWER =
            "{\"event_id\":\"bench-000000000000\",\"status\":\"accepted\"}"
                    .getBytes(StandardCharsets.UTF_8);

    private BareProducer() {}

    public static void main(String[] arguments) {
        var producer =
                new KafkaProducer<byte[], byte[]>(
                        Map.of(
                                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                arguments[1],
                                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG,
                                ByteArraySerializer.class,
                                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG,
                                ByteArraySerializer.class,
                                ProducerConfig.ACKS_CONFIG,
                                "all",
                                ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
                                true,
                                ProducerConfig.LINGER_MS_CONFIG,
                                1,
                                ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
                                1));
        String topic = arguments[2];
        HttpServer.create()
                .host("127.0.0.1")
                .port(Integer.parseInt(arguments[0]))
                .route(routes ->
                        routes.get("/ready", (request, response) -> response.status(200).send())
                                .post(
                                        "/echo",
                                        (request, response) ->
                                                request.receive()
                                                        .aggregate()
                                                        .asByteArray()
                                                        .flatMap(bytes ->
                                                                response.header(
                                                                                "content-length",
                                                                                Integer.toString(
                                                                                        bytes.length))
                                                                        .sendByteArray(
                                                                                Mono.just(bytes))
                                                                        .then()))
                                .post("/send", send(producer, topic, () -> null))
                                .post("/send-keyed", send(producer, topic, BareProducer::key)))
                .bindNow()
                .onDispose()
                .block();
    }

    private static BiFunction<HttpServerRequest, HttpServerResponse, Publisher<Void>> send(
            KafkaProducer<byte[], byte[]> producer, String topic, Supplier<byte[]> key) {
        return (request, response) ->
                request.receive()
                        .aggregate()
                        .asByteArray()
                        .flatMap(bytes ->
                                sent(producer, new ProducerRecord<>(topic, key.get(), bytes)))
                        .flatMap(done ->
                                response.status(HttpResponseStatus.ACCEPTED)
                                        .header("content-length", Integer.toString(ANSWER.length))
                                        .sendByteArray(Mono.just(ANSWER))
                                        .then());
    }

    /** Of one of as many persons as the load has. */
    private static byte[] key() {
        return ("bench:user_" + ThreadLocalRandom.current().nextInt(IngestBench.PERSONS))
                .getBytes(StandardCharsets.UTF_8);
    }

    private static Mono<Boolean> sent(
            KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record) {
        return Mono.create(sink -> {
            var unused =
                    producer.send(
                            record,
                            (metadata, error) -> {
                                if (error == null) {
                                    sink.success(true);
                                } else {
                                    sink.error(error);
                                }
                            });
        });
    }
}
