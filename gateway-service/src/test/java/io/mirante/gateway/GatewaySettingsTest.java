package io.mirante.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.mirante.gateway.routing.Service;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GatewaySettingsTest {

    private static final GatewaySettings.Target TARGET =
            new GatewaySettings.Target(
                    URI.create("http://127.0.0.1:1"), URI.create("http://127.0.0.1:2"));
    private static final Map<Service, GatewaySettings.Target> ALL =
            Arrays.stream(Service.values())
                    .collect(Collectors.toMap(Function.identity(), service -> TARGET));

    @Test
    void blankKeysAreNoKeys() {
        assertThat(settings(List.of(" a ", "", " "), "demo", ALL, Duration.ofSeconds(10)).apiKeys())
                .containsExactly("a");
    }

    @Test
    void whatIsWrongIsNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(List.of(), "a b", ALL, Duration.ofSeconds(10)))
                .withMessageContaining("MIRANTE_BOOTSTRAP_TENANT");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(List.of(), "demo", Map.of(), Duration.ofSeconds(10)))
                .withMessageContaining("INGESTION_URL");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(List.of(), "demo", ALL, Duration.ZERO))
                .withMessageContaining("timeout");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new GatewaySettings.Target(URI.create("ftp://x"), URI.create("http://x")))
                .withMessageContaining("http://host:port");
    }

    private static GatewaySettings settings(
            List<String> keys,
            String tenant,
            Map<Service, GatewaySettings.Target> services,
            Duration timeout) {
        return new GatewaySettings(keys, tenant, services, timeout, 8_388_608);
    }
}
