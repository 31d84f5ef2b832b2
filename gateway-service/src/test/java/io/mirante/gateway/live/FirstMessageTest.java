package io.mirante.gateway.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.gateway.keys.PresentedKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FirstMessageTest {

    @Test
    void holdsTheKeyInItsPayload() {
        assertThat(
                        FirstMessage.keyHashOf(
                                "{\"type\": \"Authenticate\", \"payload\": {\"api_key\": \"k-1\"}}"))
                .isEqualTo(PresentedKey.hashOf("k-1"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "k-1",
                "[]",
                "null",
                "{\"type\": \"Authenticate\"}",
                "{\"type\": \"Authenticate\", \"payload\": \"k-1\"}",
                "{\"type\": \"Authenticate\", \"payload\": {\"api_key\": \" \"}}",
                "{\"type\": \"Authenticate\", \"payload\": {\"api_key\": 1}}",
                "{\"type\": \"Subscribe\", \"payload\": {\"api_key\": \"k-1\"}}"
            })
    void anythingElseHoldsNone(String text) {
        assertThat(FirstMessage.keyHashOf(text)).isNull();
    }
}
