package io.mirante.testkit;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.util.concurrent.CompletableFuture;

/** Child processes from Maven artifacts, which end with this JVM however it ends. */
record EmbeddedServers(KafkaServer kafka, PostgresServer postgres) implements Servers {

    static EmbeddedServers start(
            KafkaServer.Settings kafkaSettings, PostgresServer.Settings postgresSettings) {
        var kafka = CompletableFuture.supplyAsync(() -> KafkaServer.start(kafkaSettings));
        var postgres = PostgresServer.start(postgresSettings);
        return new EmbeddedServers(kafka.join(), postgres);
    }

    @Override
    public String bootstrapServers() {
        return kafka.bootstrapServers();
    }

    @Override
    public String url() {
        return postgres.url();
    }

    @Override
    public String ownerUrl() {
        return postgres.ownerUrl();
    }

    @Override
    public void stop() {
        kafka.kill();
        postgres.kill();
    }
}
