package io.mirante.gateway.keys;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpHeaders;

class PresentedKeyTest {

    private static final String HASH = PresentedKey.sha256("k-1");

    @Test
    void aKeyMayComeInThreeForms() {
        assertThat(PresentedKey.hashOf(headers("x-api-key", "k-1"))).isEqualTo(HASH);
        assertThat(PresentedKey.hashOf(headers("X-Api-Key", " k-1 "))).isEqualTo(HASH);
        assertThat(PresentedKey.hashOf(headers("Authorization", "Bearer k-1"))).isEqualTo(HASH);
        assertThat(PresentedKey.hashOf(headers("authorization", "bearer k-1"))).isEqualTo(HASH);
        assertThat(PresentedKey.hashOf(headers("Authorization", basic("k-1:")))).isEqualTo(HASH);
    }

    @Test
    void anythingElseIsNoKey() {
        assertThat(PresentedKey.hashOf(new HttpHeaders())).isNull();
        assertThat(PresentedKey.hashOf(headers("x-api-key", " "))).isNull();
        assertThat(PresentedKey.hashOf(headers("x-api-key", "x".repeat(513)))).isNull();
        assertThat(PresentedKey.hashOf(headers("Authorization", "k-1"))).isNull();
        assertThat(PresentedKey.hashOf(headers("Authorization", basic("k-1:secret")))).isNull();
        assertThat(PresentedKey.hashOf(headers("Authorization", "Basic ???"))).isNull();
    }

    @Test
    void theKeyOfAQueryIsReadAndCutOut() {
        assertThat(PresentedKey.hashOfQuery("a=1&api_key=k-1&b=2")).isEqualTo(HASH);
        assertThat(PresentedKey.hashOfQuery("api_key=k%2D1")).isEqualTo(HASH);
        assertThat(PresentedKey.hashOfQuery("xapi_key=k-1")).isNull();
        assertThat(PresentedKey.hashOfQuery("api_key=%zz")).isNull();
        assertThat(PresentedKey.hashOfQuery(null)).isNull();
        assertThat(PresentedKey.withoutKey("a=%20&api_key=k-1&b=2&api_key")).isEqualTo("a=%20&b=2");
        assertThat(PresentedKey.withoutKey("api_key=k-1")).isNull();
        assertThat(PresentedKey.withoutKey(null)).isNull();
    }

    @Test
    void aMadeKeyLeavesAsItsIdAndHashesAndAMistypedOneAsAnUnknownText() {
        var key = KeyText.make("test", new SecureRandom());
        var whole = PresentedKey.sha256(key.text());
        assertThat(PresentedKey.hashOf(headers("x-api-key", key.text())))
                .isEqualTo(whole + ":" + key.id() + ":" + PresentedKey.sha256(key.secret()));
        var mistyped = key.text().replace("_" + key.id() + "_", "_" + "0".repeat(16) + "_");
        assertThat(PresentedKey.hashOf(headers("x-api-key", mistyped)))
                .isEqualTo(PresentedKey.sha256(mistyped));
    }

    @Test
    void aPersonsTokenLeavesAsItself() {
        assertThat(PresentedKey.hashOf(headers("Authorization", "Bearer eyJh.eyJz.c2ln")))
                .isEqualTo("jwt:eyJh.eyJz.c2ln");
        assertThat(PresentedKey.hashOf(headers("Authorization", "Bearer ey.two")))
                .isEqualTo(PresentedKey.sha256("ey.two"));
    }

    private static HttpHeaders headers(String name, String value) {
        var headers = new HttpHeaders();
        headers.set(name, value);
        return headers;
    }

    private static String basic(String text) {
        return "Basic " + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
