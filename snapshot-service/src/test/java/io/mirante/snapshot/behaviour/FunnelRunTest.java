package io.mirante.snapshot.behaviour;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import io.mirante.platform.web.ProblemException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FunnelRunTest {

    private static final int FIRST = 1;
    private static final int SECOND = 2;

    private final Funnel funnel =
            Json.mapper()
                    .readValue(
                            """
                            {"breakdown": {"property": "data.v"}, "steps": [
                                {"condition_type": "page_view"}, {"condition_type": "purchase"}]}\
                            """,
                            FunnelRequest.class)
                    .toFunnel();
    private final FunnelEvents events = new FunnelEvents(funnel);
    private final FunnelRun run = new FunnelRun(funnel, events, null);
    private int persons;

    /** A person who buys so many µs after a page with a value, as JSON. */
    private void buys(String value, long micros) {
        int page = events.matching(FIRST, "{\"v\":%s}".formatted(value));
        int purchase = events.matching(SECOND, null);
        run.see(++persons, new long[] {5, 5 + micros}, new int[] {page, purchase}, 2);
    }

    private void looks(String... values) {
        long[] micros = new long[values.length];
        int[] what = new int[values.length];
        for (int i = 0; i < values.length; i++) {
            what[i] = events.matching(FIRST, "{\"v\":%s}".formatted(values[i]));
        }
        run.see(++persons, micros, what, values.length);
    }

    @Test
    void listsTheMostFrequentValuesThenNoneThenTheRest() {
        // Value 1 has one person, value 30 thirty.
        for (int value = 1; value <= 30; value++) {
            for (int i = 0; i < value; i++) {
                looks("\"value %d\"".formatted(value));
            }
        }
        buys("\"value 3\"", 10_000_000);
        buys("\"value 4\"", 30_000_000);
        buys("\"$other\"", 80_000_000);
        looks("null");
        looks("\"\"");
        var result = run.finish();
        var groups = result.groups();
        assertThat(groups).hasSize(27);
        assertThat(groups.subList(0, 25))
                .extracting(FunnelRun.Group::value)
                .containsExactlyElementsOf(
                        IntStream.iterate(30, v -> v - 1)
                                .limit(25)
                                .mapToObj(v -> "value " + v)
                                .toList());
        assertThat(groups.get(25).value()).isNull();
        assertThat(groups.get(25).steps().getFirst().users()).isEqualTo(2);
        var rest = groups.get(26);
        assertThat(rest.value()).isEqualTo("$other");
        // 1 to 5 and two of those who buy; and who has it as a value
        assertThat(rest.steps())
                .containsExactly(
                        new FunnelRun.Step(18, null, null), new FunnelRun.Step(3, 30.0, 40.0));
        assertThat(groups.stream().mapToLong(g -> g.steps().getFirst().users()).sum())
                .isEqualTo(persons)
                .isEqualTo(result.steps().getFirst().users());
    }

    @Test
    void takesTheFirstOfSeveralValuesAtOneInstant() {
        looks("null", "\"b\"", "\"a\"");
        looks("{\"x\":[1,\"y\"]}");
        looks("10.50");
        looks("true");
        assertThat(run.finish().groups())
                .extracting(FunnelRun.Group::value)
                .containsExactly("10.50", "a", "true", "{\"x\":[1,\"y\"]}");
    }

    @Test
    void tellsValuesApartByTheirBeginning() {
        looks("\"" + "x".repeat(256) + "1\"");
        looks("\"" + "x".repeat(256) + "2\"");
        // half a character is none
        looks("\"" + "y".repeat(255) + "\uD83C\uDF0D\"");
        assertThat(run.finish().groups())
                .extracting(FunnelRun.Group::value)
                .containsExactly("x".repeat(256), "y".repeat(255));
    }

    @Test
    void refusesMoreValuesThanItCanTellApart() {
        for (int i = 0; i < 16_000; i++) {
            looks("\"v%d\"".formatted(i));
        }
        looks("\"v0\"");
        assertThatThrownBy(() -> looks("\"one more\""))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("16,000")
                .hasMessageContaining("fewer values");
    }
}
