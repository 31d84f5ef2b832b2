package io.mirante.local;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;

/** The mesh's Kafka and PostgreSQL: which folders, ports and logs they use. */
final class Infrastructure {
    private final Home home;

    Infrastructure(Home home) {
        this.home = home;
    }

    KafkaServer.Settings kafka() {
        return KafkaServer.Settings.in(home.kafka()).withLogFile(home.log(Ports.KAFKA));
    }

    PostgresServer.Settings postgres(Secrets secrets) {
        return PostgresServer.Settings.in(home.postgresData(), secrets.ownerPassword())
                .withLogFile(home.log(Ports.POSTGRES));
    }
}
