package io.mirante.platform.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SealTest {

    private static final byte[] TEXT = "[ann@example.com]".getBytes(StandardCharsets.UTF_8);

    private static byte[] key(int fill) {
        var key = new byte[32];
        java.util.Arrays.fill(key, (byte) fill);
        return key;
    }

    private static Seal seal(byte[]... keys) {
        return new Seal(new MasterKeys(List.of(keys)));
    }

    @Test
    void whatWasSealedOpensForTheSameTenantAndNameAlone() {
        var seal = seal(key(1));
        var sealed = seal.close("acme", "r1", TEXT, 1, TEXT.length - 1);
        assertThat(new String(sealed, StandardCharsets.ISO_8859_1)).doesNotContain("ann");
        assertThat(seal(key(1)).open("acme", "r1", sealed))
                .isEqualTo("ann@example.com".getBytes(StandardCharsets.UTF_8));
        assertThat(seal.open("other", "r1", sealed)).isNull();
        assertThat(seal.open("acme", "r2", sealed)).isNull();
        assertThat(seal.close("acme", "r1", TEXT, 1, TEXT.length - 1)).isNotEqualTo(sealed);
    }

    @Test
    void oneChangedByteIsNoticedWherever() {
        var seal = seal(key(1));
        var sealed = seal.close("acme", "r1", TEXT, 0, TEXT.length);
        for (int i = 0; i < sealed.length; i++) {
            var changed = sealed.clone();
            changed[i] ^= 1;
            assertThat(seal.open("acme", "r1", changed)).as("byte %d", i).isNull();
        }
        assertThat(seal.open("acme", "r1", new byte[3])).isNull();
    }

    @Test
    void aNewMasterKeyOnTopOpensWhatTheOldOneSealedAndKeepsTheSalt() {
        var sealed = seal(key(1)).close("acme", "r1", TEXT, 0, TEXT.length);
        assertThat(seal(key(2), key(1)).open("acme", "r1", sealed)).isEqualTo(TEXT);
        assertThat(seal(key(2)).open("acme", "r1", sealed)).isNull();
        var old = new MasterKeys(List.of(key(1)));
        assertThat(new MasterKeys(List.of(key(2), key(1))).salt("acme"))
                .isEqualTo(old.salt("acme"));
        assertThat(old.salt("acme")).isNotEqualTo(old.salt("other"));
    }

    @Test
    void aKeyFileHoldsOneKeyALine(@TempDir Path folder) throws IOException {
        var file = folder.resolve("master.key");
        Files.writeString(file, Base64.getEncoder().encodeToString(key(7)) + "\n\n");
        assertThat(MasterKeys.read(file).newest()).isEqualTo(key(7));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "c2hvcnQ=", "no base64 !"})
    void aBadKeyFileIsRefusedWithoutShowingIt(String content, @TempDir Path folder)
            throws IOException {
        var file = folder.resolve("master.key");
        Files.writeString(file, content);
        assertThatThrownBy(() -> MasterKeys.read(file))
                .hasMessageContaining("MIRANTE_MASTER_KEY_FILE")
                .hasMessageContaining("32 bytes")
                .message()
                .satisfies(m -> assertThat(content.isEmpty() || !m.contains(content)).isTrue());
    }
}
