package io.mirante.gateway.keys;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.util.HashSet;
import org.junit.jupiter.api.Test;

class KeyTextTest {

    private final SecureRandom random = new SecureRandom();

    @Test
    void aKeyIsReadBackAndNoTwoAreAlike() {
        var ids = new HashSet<String>();
        var secrets = new HashSet<String>();
        for (int i = 0; i < 1_000; i++) {
            var key = KeyText.make("live", random);
            assertThat(key.text()).matches("mrt_live_[a-z0-9]{16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}");
            assertThat(KeyText.read(key.text())).contains(key);
            assertThat(ids.add(key.id())).isTrue();
            assertThat(secrets.add(key.secret())).isTrue();
        }
    }

    @Test
    void everySingleMistypedCharacterIsFound() {
        var text = KeyText.make("live", random).text();
        for (int i = 0; i < text.length(); i++) {
            var other = text.charAt(i) == 'x' ? 'y' : 'x';
            assertThat(KeyText.read(text.substring(0, i) + other + text.substring(i + 1)))
                    .as("position %d of a key", i)
                    .isEmpty();
        }
        assertThat(KeyText.read("")).isEmpty();
        assertThat(KeyText.read(text + "0")).isEmpty();
    }

    @Test
    void rotationKeepsTheIdAndNoTextShowsTheSecret() {
        var key = KeyText.make("live", random);
        var rotated = key.rotated(random);
        assertThat(rotated.id()).isEqualTo(key.id());
        assertThat(rotated.secret()).isNotEqualTo(key.secret());
        assertThat(key.toString()).contains(key.id()).doesNotContain(key.secret());
    }
}
