package io.mirante.gateway.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SettingsTest {

    @Test
    void corsNeedsOrigins() {
        assertThat(new CorsSettings(false, List.of()).allowedOrigins()).isEmpty();
        assertThat(new CorsSettings(true, List.of(" https://a.example ", "")).allowedOrigins())
                .containsExactly("https://a.example");
        assertThat(new CorsSettings(true, List.of("*")).allowedOrigins()).containsExactly("*");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CorsSettings(true, List.of("")))
                .withMessageContaining("CORS_ALLOWED_ORIGINS");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CorsSettings(true, List.of("https://a.example/path")))
                .withMessageContaining("https://a.example/path");
    }

    @Test
    void guardsAreMoreThanNothing() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(0, 1, 1, 1, 1))
                .withMessageContaining("guard.calls");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(1, 0, 1, 1, 1))
                .withMessageContaining("guard.quick-within");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(1, 1, 0, 1, 1))
                .withMessageContaining("guard.streams");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(1, 1, 1, 0, 1))
                .withMessageContaining("guard.open-for");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settings(1, 1, 1, 1, 0))
                .withMessageContaining("guard.header-timeout");
    }

    private static GuardSettings settings(
            int calls, int quick, int streams, int open, int headers) {
        return new GuardSettings(
                calls,
                Duration.ofSeconds(quick),
                streams,
                Duration.ofSeconds(open),
                Duration.ofSeconds(headers));
    }
}
