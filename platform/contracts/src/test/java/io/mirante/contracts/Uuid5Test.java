package io.mirante.contracts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Uuid5Test {

    private static final byte[] LINE = "a,b".getBytes(StandardCharsets.UTF_8);

    @Test
    void isAUuidOfVersion5AndTheSameForEver() {
        var id = Uuid5.ofRecord("mirante.ingest.demo", 3, 42, 1_000);
        assertThat(id.version()).isEqualTo(5);
        assertThat(id.variant()).isEqualTo(2);
        assertThat(id).isEqualTo(Uuid5.ofRecord("mirante.ingest.demo", 3, 42, 1_000));
        assertThat(Uuid5.ofLine("demo", "s", 1, LINE))
                .hasToString(Uuid5.ofLine("demo", "s", 1, LINE.clone()).toString());
    }

    @Test
    void anyPartMakesAnotherId() {
        assertThat(Uuid5.ofRecord("t", 1, 11, 1)).isNotEqualTo(Uuid5.ofRecord("t", 11, 1, 1));
        assertThat(Uuid5.ofRecord("t", 1, 11, 1)).isNotEqualTo(Uuid5.ofRecord("t", 1, 11, 2));
        var id = Uuid5.ofLine("demo", "s", 1, LINE);
        assertThat(id).isNotEqualTo(Uuid5.ofLine("other", "s", 1, LINE));
        assertThat(id).isNotEqualTo(Uuid5.ofLine("demo", "t", 1, LINE));
        assertThat(id).isNotEqualTo(Uuid5.ofLine("demo", "s", 2, LINE));
        assertThat(id).isNotEqualTo(Uuid5.ofLine("demo", "s", 1, new byte[] {'a'}));
    }
}
