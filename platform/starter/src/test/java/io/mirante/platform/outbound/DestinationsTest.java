package io.mirante.platform.outbound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.255.255.254",
                "0.0.0.0",
                "10.0.0.1",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "169.254.169.254",
                "100.64.0.1",
                "100.127.255.255",
                "192.0.0.8",
                "198.18.0.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "2130706433",
                "::1",
                "::",
                "::ffff:127.0.0.1",
                "fe80::1",
                "fc00::1",
                "fd12:3456::1",
                "ff02::1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
                "2001:0:1::1",
                "2001:db8::1"
            })
    void isNotPublic(String address) throws UnknownHostException {
        assertThat(Destinations.isPublic(InetAddress.getByName(address))).isFalse();
        var destinations = new Destinations(List.of(), "WEBHOOK_ALLOWED_HOSTS");
        assertThatThrownBy(() -> destinations.resolve(address))
                .isInstanceOf(RefusedAddressException.class)
                .hasMessageContaining("WEBHOOK_ALLOWED_HOSTS");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.1.1.1",
                "9.255.255.255",
                "11.0.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "192.167.255.255",
                "198.17.255.255",
                "198.20.0.0",
                "223.255.255.255",
                "2606:4700::1111",
                "2001:200::1"
            })
    void isPublic(String address) throws UnknownHostException {
        assertThat(Destinations.isPublic(InetAddress.getByName(address))).isTrue();
    }

    @Test
    void letsThroughWhatIsNamedAndNothingElse() {
        var destinations =
                new Destinations(List.of(" 127.0.0.1 ", "Localhost"), "WEBHOOK_ALLOWED_HOSTS");
        assertThatCode(() -> destinations.resolve("127.0.0.1")).doesNotThrowAnyException();
        assertThatCode(() -> destinations.resolve("LOCALHOST")).doesNotThrowAnyException();
        assertThatThrownBy(() -> destinations.resolve("127.0.0.2"))
                .isInstanceOf(RefusedAddressException.class);
        assertThatThrownBy(() -> destinations.resolve("0x7f.1"))
                .isInstanceOf(UnknownHostException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "example.com/hook",
                "ftp://example.com/",
                "file:///etc/passwd",
                "gopher://example.com/",
                "http:///path",
                "http://user:pass@example.com/",
                "http://example.com:0/",
                "http://example.com:65536/",
                "http://exa mple.com/",
                "https://exämple.com/"
            })
    void refusesUrlsByTheirForm(String url) {
        assertThatThrownBy(() -> Destinations.parse(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("url ");
    }

    @Test
    void takesTheHostOutOfItsBrackets() {
        assertThat(Destinations.hostOf(Destinations.parse("https://[::1]:8443/x")))
                .isEqualTo("::1");
        assertThat(Destinations.hostOf(Destinations.parse("https://example.com/x")))
                .isEqualTo("example.com");
    }
}
