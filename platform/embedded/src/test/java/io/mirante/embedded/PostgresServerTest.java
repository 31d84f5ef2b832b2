package io.mirante.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PostgresServerTest {
    @TempDir Path folder;

    @AfterEach
    void stopWhatRuns() {
        PostgresServer.find(settings()).ifPresent(PostgresServer::kill);
    }

    @Test
    void keepsItsDataAcrossKillAndStop() throws SQLException {
        PostgresServer first = PostgresServer.start(settings());
        execute(first, "CREATE TABLE kept (x int)");
        execute(first, "INSERT INTO kept VALUES (1)");

        first.kill();
        assertThat(first.isAlive()).isFalse();
        PostgresServer second = PostgresServer.start(settings());
        assertThat(count(second)).isEqualTo(1);

        assertThat(PostgresServer.start(settings()).process()).isEqualTo(second.process());

        second.stop();
        assertThat(second.isAlive()).isFalse();
        assertThat(PostgresServer.find(settings())).isEmpty();
        assertThat(count(PostgresServer.start(settings()))).isEqualTo(1);
    }

    @Test
    void startsThoughAnotherProcessHasTheNumberInItsPidFile() throws IOException, SQLException {
        PostgresServer first = PostgresServer.start(settings());
        execute(first, "CREATE TABLE kept (x int)");
        first.kill();
        Path pidFile = folder.resolve("data/postmaster.pid");
        List<String> lines = Files.readAllLines(pidFile);
        lines.set(0, Long.toString(ProcessHandle.current().pid()));
        Files.write(pidFile, lines);

        assertThat(PostgresServer.find(settings())).isEmpty();
        assertThat(count(PostgresServer.start(settings()))).isZero();
    }

    @Test
    void refusesAFolderOfAnotherMajorVersion() throws IOException {
        Files.createDirectories(folder.resolve("data"));
        Files.writeString(folder.resolve("data/PG_VERSION"), "15\n");

        assertThatThrownBy(() -> PostgresServer.start(settings()))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("PostgreSQL 15")
                .hasMessageContaining("./mesh restore");
    }

    @Test
    void stopsWhenTheJvmThatStartedItIsKilled() throws IOException, InterruptedException {
        Process parent = Parent.start("postgres", folder);
        try {
            await().atMost(Duration.ofMinutes(2))
                    .until(() -> Files.exists(folder.resolve("started")));
            PostgresServer server = PostgresServer.find(settings()).orElseThrow();
            assertThat(server.isAlive()).isTrue();
            parent.destroyForcibly().waitFor();
            await().atMost(Duration.ofMinutes(2)).until(() -> !server.isAlive());
        } finally {
            parent.destroyForcibly();
        }
    }

    private PostgresServer.Settings settings() {
        return PostgresServer.Settings.in(folder.resolve("data"), "secret").forTests();
    }

    private static void execute(PostgresServer server, String sql) throws SQLException {
        try (var connection = server.connect();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int count(PostgresServer server) throws SQLException {
        try (var connection = server.connect();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM kept")) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
