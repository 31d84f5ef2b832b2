package io.mirante.etl.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.etl.quality.FileFormat;
import io.mirante.platform.outbound.Destinations;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The last check is at the connect: a name that passed when its source was named may lead elsewhere by then. */
class GuardTest {

    private static final Credentials CREDENTIALS = new Credentials("who", "secret");

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost"})
    void nothingPrivateIsConnectedTo(String host) throws Exception {
        try (var server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
            var postgres =
                    new PostgresPlace(host, server.getLocalPort(), "d", "t", null, null, "disable");
            assertThatThrownBy(() ->
                            new PostgresRows(List.of(), 1_000, Duration.ofSeconds(5))
                                    .fetch(postgres, null, CREDENTIALS, folder, what -> {}))
                    .isInstanceOf(FetchFailedException.class)
                    .hasMessageContaining("SOURCE_ALLOWED_HOSTS")
                    .hasMessageNotContaining("secret");
            var s3 =
                    new S3Place(
                            "lake",
                            "",
                            "us-east-1",
                            "http://%s:%d".formatted(host, server.getLocalPort()));
            assertThatThrownBy(() ->
                            new S3Objects(
                                            new Destinations(List.of(), "SOURCE_ALLOWED_HOSTS"),
                                            1_000)
                                    .fetch(s3, FileFormat.CSV, CREDENTIALS, folder, what -> {}))
                    .isInstanceOf(FetchFailedException.class)
                    .hasMessageContaining("SOURCE_ALLOWED_HOSTS")
                    .hasMessageNotContaining("secret");
            assertThat(connections(server)).isZero();
        }
    }

    private static int connections(ServerSocket server) throws IOException {
        server.setSoTimeout(200);
        try (var unexpected = server.accept()) {
            return unexpected.isConnected() ? 1 : 0;
        } catch (SocketTimeoutException none) {
            return 0;
        }
    }
}
