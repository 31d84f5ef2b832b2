package io.mirante.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.apache.kafka.common.utils.AppInfoParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServersTest {

    @ParameterizedTest
    @ValueSource(strings = {"container", "Embedded", ""})
    void refusesAnUnknownChoiceAndNamesTheKnownOnes(String choice, @TempDir Path folder) {
        assertThatThrownBy(() -> Servers.start(choice, folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the system property mirante.test.infra must be embedded (the default) or containers,"
                                + " was \""
                                + choice
                                + "\"");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void theKafkaImageIsOfTheClientsVersion() {
        assertThat(ContainerServers.image("kafka").asCanonicalNameString())
                .isEqualTo("apache/kafka:" + AppInfoParser.getVersion());
    }
}
