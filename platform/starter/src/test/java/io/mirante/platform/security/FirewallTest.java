package io.mirante.platform.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.springframework.security.web.server.firewall.StrictServerWebExchangeFirewall;

class FirewallTest {

    @Test
    void theShortWaySaysWhatTheRulesSay() {
        for (var rule :
                List.of(
                        StrictServerWebExchangeFirewall.ALLOWED_HEADER_NAMES,
                        StrictServerWebExchangeFirewall.ALLOWED_HEADER_VALUES,
                        StrictServerWebExchangeFirewall.ALLOWED_PARAMETER_NAMES,
                        StrictServerWebExchangeFirewall.ALLOWED_PARAMETER_VALUES)) {
            var quick = Firewall.plainOr(rule);
            for (char c = 0; c < 0x2100; c++) {
                var text = "a" + c + "b";
                assertThat(quick.test(text)).as("U+%04X", (int) c).isEqualTo(rule.test(text));
            }
            for (int i = 0; i < 1_000; i++) {
                var text = text();
                assertThat(quick.test(text)).as(text).isEqualTo(rule.test(text));
            }
        }
    }

    /** What a header that is not there is asked about. */
    @Test
    void nothingIsAllowed() {
        assertThat(
                        Firewall.plainOr(StrictServerWebExchangeFirewall.ALLOWED_HEADER_VALUES)
                                .test(null))
                .isTrue();
    }

    private static String text() {
        var random = ThreadLocalRandom.current();
        var text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            text.append((char) random.nextInt(random.nextBoolean() ? 0x100 : 0x3000));
        }
        return text.toString();
    }
}
