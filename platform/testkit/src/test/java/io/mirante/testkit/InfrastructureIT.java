package io.mirante.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.embedded.KafkaServer;
import io.mirante.embedded.PostgresServer;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** What tests rely on is the same whichever servers {@code mirante.test.infra} chose. */
class InfrastructureIT {

    private final Infrastructure infrastructure = Infrastructure.get();

    @Test
    void theChosenServersRunAndNoOthers() {
        boolean containers = "containers".equals(System.getProperty("mirante.test.infra"));
        for (String data : List.of("kafka", "postgres")) {
            var ofTheProcess = infrastructure.folder().resolve(data);
            if (containers) {
                assertThat(ofTheProcess).doesNotExist();
            } else {
                assertThat(ofTheProcess).isNotEmptyDirectory();
            }
        }
    }

    @Test
    void kafkaHasTheEmbeddedBrokersSettings() throws Exception {
        try (var admin =
                Admin.create(Map.of("bootstrap.servers", infrastructure.bootstrapServers()))) {
            var nodes = admin.describeCluster().nodes().get();
            assertThat(nodes).hasSize(1);
            var broker =
                    new ConfigResource(
                            ConfigResource.Type.BROKER, nodes.iterator().next().idString());
            var found = new TreeMap<String, String>();
            for (ConfigEntry entry :
                    admin.describeConfigs(List.of(broker)).all().get().get(broker).entries()) {
                found.put(entry.name(), String.valueOf(entry.value()));
            }
            assertThat(found)
                    .containsAllEntriesOf(
                            KafkaServer.Settings.in(Path.of("unused")).forTests().configuration());
        }
    }

    @Test
    void postgresHasTheEmbeddedServersVersionSettingsAndLocale() throws Exception {
        var expected =
                PostgresServer.Settings.in(Path.of("unused"), "unused").forTests().configuration();
        var found = new TreeMap<String, String>();
        for (String name : expected.keySet()) {
            found.put(name, text("SELECT current_setting('" + name + "')"));
        }
        assertThat(found).isEqualTo(expected);
        assertThat(text("SELECT current_setting('server_version')"))
                .matches(ContainerServers.image("postgres").getVersionPart() + "( .*)?");
        assertThat(
                        text(
                                "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datlocprovider, datlocale,"
                                        + " datcollate, datctype) FROM pg_database"
                                        + " WHERE datname = current_database()"))
                .isEqualTo("UTF8 b C.UTF-8 C C");
    }

    private String text(String sql) throws SQLException {
        try (var owner = infrastructure.connect();
                var rows = owner.createStatement().executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
