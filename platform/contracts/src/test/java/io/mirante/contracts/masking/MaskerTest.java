package io.mirante.contracts.masking;

import static org.assertj.core.api.Assertions.assertThat;

import io.mirante.contracts.Json;
import io.mirante.contracts.events.CanonicalEvent;
import io.mirante.contracts.events.EventType;
import io.mirante.contracts.events.EventTypes;
import io.mirante.contracts.events.EventValidator;
import io.mirante.contracts.gateway.MaskingRule;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class MaskerTest {

    private static final byte[] SALT = {1, 2, 3};
    private static final Masker DEFAULT = masker();

    private static Masker masker(String... rules) {
        return new Masker(
                Arrays.stream(rules)
                        .map(r -> Json.mapper().readValue(json(r), MaskingRule.class))
                        .toList(),
                SALT);
    }

    private static String json(String singleQuoted) {
        return singleQuoted.replace('\'', '"');
    }

    private static JsonNode tree(String singleQuoted) {
        return Json.mapper().readTree(json(singleQuoted));
    }

    private static CanonicalEvent event(String data, String context) {
        return new CanonicalEvent(
                "ann@example.com",
                "made_up",
                "custom",
                "user-52998224725",
                null,
                null,
                Instant.EPOCH,
                null,
                false,
                1,
                tree(data),
                tree("{}"),
                tree(context));
    }

    private static String data(Masker masker, String data) {
        return masker.mask(event(data, "{}")).data().toString().replace('"', '\'');
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "ann@example.com | email",
                "Ann.ONeil+x@mail.example.co.uk | email",
                "josé@exámple.com.br | email",
                "+55 11 98765-4321 | phone",
                "+5511987654321 | phone",
                "(11) 98765-4321 | phone",
                "11 98765-4321 | phone",
                "11 3456-7890 | phone",
                "11987654321 | phone",
                "+1 415 555 2671 | phone",
                "(415) 555-2671 | phone",
                "415-555-2671 | phone",
                "+44 20 7946 0958 | phone",
                "529.982.247-25 | cpf",
                "52998224725 | cpf",
                "529982247-25 | cpf",
            })
    void recognisesByFormAndHashes(String value, String kind) {
        assertThat(data(DEFAULT, "{'a': \"" + value + "\"}"))
                .matches("\\{'a':'" + kind + ":[0-9a-f]{16}'}");
        assertThat(data(DEFAULT, "{'a': \"see " + value + ", please\"}"))
                .matches("\\{'a':'see \\[" + kind + ":[0-9a-f]{16}], please'}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "4111111111111111",
                "4111 1111 1111 1111",
                "4111-1111-1111-1111",
                "5555555555554444",
                "378282246310005",
                "3782 822463 10005",
                "6011111111111117",
                "30569309025904",
            })
    void cardsAreDropped(String card) {
        assertThat(data(DEFAULT, "{'a': '" + card + "', 'b': 1}")).isEqualTo("{'b':1}");
        assertThat(data(DEFAULT, "{'a': 'card " + card + ".'}")).isEqualTo("{'a':'card [card].'}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "192.168.17.34 | 192.168.17.0",
                "from 10.1.2.3. | from 10.1.2.0.",
                "2001:db8:aaaa:bbbb::1 | 2001:db8:aaaa::",
                "http://10.1.2.3/x | http://10.1.2.0/x",
            })
    void addressesBecomeTheirNetwork(String value, String masked) {
        assertThat(data(DEFAULT, "{'a': '" + value + "'}")).isEqualTo("{'a':'" + masked + "'}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2026-11-20T10:00:00Z",
                "10:00:00",
                "550e8400-e29b-41d4-a716-446655440000",
                "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.6723.92 Safari/537.36",
                "Edg/1.2.3.4",
                "1234.56",
                "529.982.247-26",
                "11111111111",
                "4111111111111112",
                "1732186800000",
                "20261120",
                "a@b",
                "@handle",
                "3 @ 4.50",
                "12345-6789",
                "R$ 1.234.567,89",
                "v1.2.3",
                "00:1B:44:11:3A:B7",
                "::",
            })
    void leavesAloneWhatOnlyLooksAlike(String value) {
        var event = event("{'a': '" + value + "'}", "{}");
        if (!value.equals("::")) {
            assertThat(DEFAULT.mask(event)).as(value).isSameAs(event);
        }
    }

    @Test
    void theSamePersonHasTheSameHashHoweverSpelled() {
        assertThat(data(DEFAULT, "{'a': 'ANN@example.com'}"))
                .isEqualTo(data(DEFAULT, "{'a': 'ann@example.com'}"));
        assertThat(data(DEFAULT, "{'a': '529.982.247-25'}"))
                .isEqualTo(data(DEFAULT, "{'a': '52998224725'}"));
        assertThat(data(DEFAULT, "{'a': 'ann@example.com'}"))
                .isNotEqualTo(
                        data(new Masker(List.of(), new byte[] {9}), "{'a': 'ann@example.com'}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'email': 'ann at example'} | {'email':'email:",
                "{'customerEmail': 'x'} | {'customerEmail':'email:",
                "{'phone': 551198765432} | {'phone':'phone:",
                "{'celular': '98765 4321'} | {'celular':'phone:",
                "{'cpf': 52998224725} | {'cpf':'cpf:",
                "{'client_ip': '10.1.2.3'} | {'client_ip':'10.1.2.0'",
                "{'list': ['x', 'ann@example.com']} | {'list':['x','email:",
                "{'deep': {'er': [{'e-mail': 'z'}]}} | {'deep':{'er':[{'e-mail':'email:",
                "{'ann@example.com': 1} | {'[email:",
                "{'url': '/x?mail=ann%40example.com&a=1'} | {'url':'/x?mail=[email:",
            })
    void aTellingNameIsEnough(String given, String begin) {
        assertThat(data(DEFAULT, given)).startsWith(begin);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'password': 'hunter2'}",
                "{'cvv': 123}",
                "{'card_number': '4000 0000 0000 0000'}",
                "{'n': 4111111111111111}",
            })
    void secretsAndCardsAreGone(String given) {
        assertThat(data(DEFAULT, given)).isEqualTo("{}");
    }

    @Test
    void idsAreKept() {
        var event =
                event(
                        "{'id': 'ann@example.com', 'customer_id': '52998224725', 'orderIds': ['4111111111111111']}",
                        "{}");
        var masked = DEFAULT.mask(event);
        assertThat(masked).isSameAs(event);
        assertThat(masked.eventId()).isEqualTo("ann@example.com");
        assertThat(masked.userId()).isEqualTo("user-52998224725");
    }

    @Test
    void aTenantsRulesComeBeforeTheDefaultsTheFirstThatAppliesWins() {
        assertThat(data(masker("{'kind': 'email', 'action': 'keep'}"), "{'a': 'ann@example.com'}"))
                .isEqualTo("{'a':'ann@example.com'}");
        assertThat(
                        data(
                                masker("{'kind': 'email', 'action': 'drop'}"),
                                "{'a': 'x ann@example.com'}"))
                .isEqualTo("{'a':'x [email]'}");
        assertThat(
                        data(
                                masker("{'kind': 'card', 'action': 'truncate', 'length': 6}"),
                                "{'a': '4111111111111111'}"))
                .isEqualTo("{'a':'411111'}");
        assertThat(
                        data(
                                masker("{'pointer': '/data/a/*/b', 'action': 'drop'}"),
                                "{'a': [{'b': 1, 'c': 2}]}"))
                .isEqualTo("{'a':[{'c':2}]}");
        assertThat(
                        data(
                                masker(
                                        "{'pointer': '/payload/note', 'action': 'truncate', 'length': 3}"),
                                "{'note': 'héllo'}"))
                .isEqualTo("{'note':'hél'}");
        assertThat(data(masker("{'pointer': '/data/a~1b', 'action': 'hash'}"), "{'a/b': {'c': 1}}"))
                .startsWith("{'a/b':'hash:");
        assertThat(data(masker("{'pointer': '/data/ip', 'action': 'keep'}"), "{'ip': '10.1.2.3'}"))
                .isEqualTo("{'ip':'10.1.2.3'}");
        assertThat(
                        data(
                                masker("{'kind': 'free_text', 'action': 'drop'}"),
                                "{'message': 'my name is Ann', 'x': 'y'}"))
                .isEqualTo("{'x':'y'}");
        var both =
                masker(
                        "{'kind': 'email', 'action': 'keep'}",
                        "{'pointer': '/data/a', 'action': 'drop'}");
        assertThat(data(both, "{'a': 'ann@example.com'}")).isEqualTo("{'a':'ann@example.com'}");
        assertThat(data(both, "{'a': 'else'}")).isEqualTo("{}");
        assertThat(
                        data(
                                masker(
                                        "{'event_type': 'other', 'pointer': '/data/a', 'action': 'drop'}"),
                                "{'a': 1}"))
                .isEqualTo("{'a':1}");
    }

    @Test
    void contextIsMaskedAndWhatIsUntouchedStaysTheSameTree() {
        var event =
                event(
                        "{'a': 1}",
                        "{'location': {'ip_address': '192.168.1.1', 'city': 'São Paulo'}}");
        var masked = DEFAULT.mask(event);
        assertThat(masked.data()).isSameAs(event.data());
        assertThat(masked.context())
                .isEqualTo(
                        tree("{'location': {'ip_address': '192.168.1.0', 'city': 'São Paulo'}}"));
        assertThat(event.context().toString()).as("the given tree").contains("192.168.1.1");
    }

    @Test
    void maskedSamplesOfEveryTypeStayValid() {
        var validator = new EventValidator();
        for (EventType type : EventTypes.all()) {
            var rules = new EventValidator.Rules(true, true, 65_536, Instant.EPOCH, "/http");
            var accepted =
                    (EventValidator.Accepted) validator.validate(EventTypes.sample(type, 1), rules);
            var masked = DEFAULT.mask(accepted.event());
            assertThat(
                            validator.validate(
                                    EventTypes.sample(type, 1)
                                            .asObject()
                                            .deepCopy()
                                            .without(List.of("payload", "data"))
                                            .put("event_type", type.name())
                                            .<tools.jackson.databind.node.ObjectNode>set(
                                                    "payload", masked.data()),
                                    rules))
                    .as(type.name())
                    .isInstanceOf(EventValidator.Accepted.class);
        }
    }

    /** A million characters: what costs the square of them would not end today, however idle the machine. */
    @Test
    @Timeout(120)
    void hostileTextCostsNoMoreThanItsLength() {
        for (var part : List.of("a", "@", "1 ", "1.", "(1) ", "a@", ":", "1:", "4-", "%40")) {
            var text = part.repeat(1_000_000 / part.length());
            assertThat(DEFAULT.mask(text).isEmpty()).as(part).isFalse();
        }
    }
}
