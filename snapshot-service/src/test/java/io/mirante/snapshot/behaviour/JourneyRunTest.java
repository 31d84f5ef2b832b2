package io.mirante.snapshot.behaviour;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.mirante.contracts.Json;
import io.mirante.platform.web.ProblemException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class JourneyRunTest {

    private static final int FOLLOWED = 4_000_000;

    private final Journey journey =
            Json.mapper()
                    .readValue(
                            "{\"start\": {\"type\": \"login\"}, \"depth\": 10}",
                            JourneyRequest.class)
                    .toJourney();
    private final JourneyEvents events = new JourneyEvents(journey);
    private final JourneyRun run = new JourneyRun(journey, events);

    @Test
    void takesEventsOfOneInstantInTheOrderOfTheirKeys() {
        int search = events.matching(Journey.NEXT, "\nsearch");
        int shop = events.matching(Journey.START | Journey.NEXT, "\npage_view /shop");
        int cart = events.matching(Journey.NEXT, "\npage_view /cart");
        int home = events.matching(Journey.START | Journey.NEXT, "\npage_view /");
        // before the start, at its instant, and later
        run.see(
                1,
                new long[] {1, 2, 2, 2, 2, 3, 3},
                new int[] {cart, search, shop, cart, home, search, home},
                7);
        assertThat(run.finish().nodes())
                .extracting(JourneyRun.Node::key)
                .containsExactly(
                        "login",
                        "page_view /cart",
                        "page_view /shop",
                        "search",
                        "page_view /",
                        "search",
                        "$end");
    }

    @Test
    void followsFourMillionEventsAndRefusesMore() {
        int login = events.matching(Journey.START | Journey.NEXT, "\nlogin");
        int search = events.matching(Journey.NEXT, "\nsearch");
        int[] what = new int[12];
        Arrays.fill(what, search);
        what[0] = login;
        long[] micros = new long[12];
        Arrays.setAll(micros, i -> i * 1_000_000L);
        for (int person = 1; person <= FOLLOWED / 10; person++) {
            run.see(person, micros, what, 12);
        }
        // who never starts is not followed
        run.see(FOLLOWED, micros, new int[] {search}, 1);
        var graph = run.finish();
        assertThat(graph.nodes()).hasSize(11);
        assertThat(graph.edges())
                .hasSize(10)
                .last()
                .isEqualTo(new JourneyRun.Edge("9:search", "10:search", FOLLOWED / 10, 1.0, 1.0));
        assertThatThrownBy(() -> run.see(1, micros, what, 12))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("4,000,000")
                .hasMessageContaining("less depth");
    }
}
