package io.mirante.snapshot.behaviour;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FunnelPathsTest {

    private static final int CASES = 150_000;

    @Test
    void agreesWithABruteForceSearchOnSmallRandomHistories() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        int[] furthest = new int[3];
        for (int i = 0; i < CASES; i++) {
            var order = Funnel.Order.values()[random.nextInt(3)];
            int steps = 1 + random.nextInt(4);
            int events = random.nextInt(9);
            int span = 1 + random.nextInt(8);
            long window = random.nextInt(span + 2);
            int[] gaps = new int[Funnel.MAX_EXCLUSIONS + 1];
            gaps[0] = random.nextInt(1 << steps - 1);
            gaps[1] = random.nextInt(1 << steps - 1);
            gaps[Funnel.MAX_EXCLUSIONS] = (1 << steps - 1) - 1;
            boolean exclusions = random.nextBoolean();
            long[] micros = random.longs(events, 0, span).sorted().toArray();
            int[] masks = new int[events];
            var history = new ArrayList<FunnelOracle.Event>();
            for (int e = 0; e < events; e++) {
                int can =
                        random.nextInt(3) == 0
                                ? random.nextInt(1 << steps)
                                : 1 << random.nextInt(steps);
                int excludes = exclusions && random.nextInt(4) == 0 ? 1 + random.nextInt(3) : 0;
                int between =
                        order == Funnel.Order.ANY
                                ? excludes
                                : (excludes & 1) * gaps[0] | (excludes >> 1) * gaps[1];
                masks[e] = can | excludes << Funnel.FIRST_EXCLUSION;
                if (order == Funnel.Order.STRICT) {
                    can = random.nextInt(3) == 0 ? 0 : can;
                    masks[e] = can | Funnel.ANY_EVENT;
                    between = -1;
                }
                history.add(new FunnelOracle.Event(micros[e], can, between));
            }
            var finder =
                    order == Funnel.Order.ANY
                            ? new UnorderedPaths(steps, window)
                            : new FunnelPaths(steps, window, gaps);
            var found = finder.find(micros, masks, events);
            assertThat(found)
                    .as(
                            "seed %d case %d: %s steps %d window %d gaps %s times %s masks %s",
                            seed,
                            i,
                            order,
                            steps,
                            window,
                            Arrays.toString(gaps),
                            Arrays.toString(micros),
                            Arrays.toString(masks))
                    .containsExactly(
                            FunnelOracle.path(steps, window, order == Funnel.Order.ANY, history)
                                    .stream()
                                    .mapToLong(Long::longValue)
                                    .toArray());
            if (steps > 2 && found.length == steps) {
                furthest[order.ordinal()]++;
            }
        }
        assertThat(Arrays.stream(furthest).min().orElse(0)).isGreaterThan(CASES / 500);
    }

    @Test
    void nothingElseLiesBetweenStrictSteps() {
        var paths = new FunnelPaths(2, 10, gaps(1));
        int any = Funnel.ANY_EVENT;
        int[] masks = {1 | any, any, 2 | any};
        assertThat(paths.find(new long[] {1, 2, 3}, masks, 3)).containsExactly(1);
        // at the instant of a step is not between
        assertThat(paths.find(new long[] {1, 1, 3}, masks, 3)).containsExactly(1, 3);
        assertThat(paths.find(new long[] {1, 3, 3}, masks, 3)).containsExactly(1, 3);
        // a step that comes twice lies between
        assertThat(paths.find(new long[] {1, 2, 3}, new int[] {1 | any, 1 | any, 2 | any}, 3))
                .containsExactly(2, 3);
    }

    @Test
    void waitsForALaterEventWhereAnExclusionFollowsTheEarlier() {
        // not between the second step and the third; the second comes twice
        int[] gaps = gaps(0);
        gaps[0] = 2;
        int out = 1 << Funnel.FIRST_EXCLUSION;
        assertThat(
                        new FunnelPaths(3, 10, gaps)
                                .find(new long[] {1, 2, 3, 4, 5}, new int[] {1, 2, out, 2, 4}, 5))
                .containsExactly(1, 4, 5);
    }

    private static int[] gaps(int ofAnyEvent) {
        int[] gaps = new int[Funnel.MAX_EXCLUSIONS + 1];
        gaps[Funnel.MAX_EXCLUSIONS] = ofAnyEvent;
        return gaps;
    }

    @Test
    void stepsInAnyOrderMoveToOtherStepsForOneThatCanBeOnlyOne() {
        var paths = new UnorderedPaths(3, 10);
        assertThat(paths.find(new long[] {1, 2, 3}, new int[] {3, 1, 4}, 3))
                .containsExactly(1, 2, 3);
        assertThat(paths.find(new long[] {1, 2, 11, 12}, new int[] {1, 1, 2, 4}, 4))
                .containsExactly(2, 11, 12);
        // an excluded event ends the path, at its own instant not yet
        int out = 1 << Funnel.FIRST_EXCLUSION;
        assertThat(paths.find(new long[] {1, 2, 2, 3}, new int[] {1, out, 2, 4}, 4))
                .containsExactly(1, 2);
        assertThat(paths.find(new long[] {1, 1, 3}, new int[] {1, out, 4}, 3))
                .containsExactly(1, 3);
    }

    @Test
    void includesTheEndOfTheWindowAndNotTheMomentAfter() {
        var paths = new FunnelPaths(2, 10);
        assertThat(paths.find(new long[] {5, 15}, new int[] {1, 2}, 2)).containsExactly(5, 15);
        assertThat(paths.find(new long[] {5, 16}, new int[] {1, 2}, 2)).containsExactly(5);
    }

    @Test
    void usesAnEventOnce() {
        var paths = new FunnelPaths(2, 10);
        assertThat(paths.find(new long[] {5}, new int[] {3}, 1)).containsExactly(5);
        assertThat(paths.find(new long[] {5, 5}, new int[] {3, 3}, 2)).containsExactly(5, 5);
    }

    @Test
    void takesTheStepsOfOneInstantInAnyOrder() {
        var paths = new FunnelPaths(3, 0);
        assertThat(paths.find(new long[] {7, 7, 7}, new int[] {4, 2, 1}, 3))
                .containsExactly(7, 7, 7);
    }

    @Test
    void startsAgainWhereALaterStartGetsFurther() {
        var paths = new FunnelPaths(3, 10);
        assertThat(paths.find(new long[] {0, 1, 20, 21, 22}, new int[] {1, 2, 1, 2, 4}, 5))
                .containsExactly(20, 21, 22);
    }

    @Test
    void findsNothingWithoutTheFirstStep() {
        assertThat(new FunnelPaths(2, 10).find(new long[] {1}, new int[] {2}, 1)).isEmpty();
        assertThat(new FunnelPaths(2, 10).find(new long[0], new int[0], 0)).isEmpty();
    }

    @Test
    void staysLinearForOnePersonWithAMillionEvents() {
        int events = 1_000_000;
        long[] micros = new long[events];
        int[] masks = new int[events];
        for (int e = 0; e < events; e++) {
            micros[e] = e;
            masks[e] = e == events - 1 ? 4 : 1 + e % 2;
        }
        assertThat(new FunnelPaths(3, 5).find(micros, masks, events))
                .containsExactly(events - 6, events - 5, events - 1);
        assertThat(new UnorderedPaths(3, 5).find(micros, masks, events))
                .containsExactly(events - 6, events - 5, events - 1);
        for (int e = 0; e < events; e++) {
            masks[e] |= Funnel.ANY_EVENT;
        }
        assertThat(new FunnelPaths(3, 5, gaps(3)).find(micros, masks, events))
                .containsExactly(0, 1);
    }

    @Test
    void refusesNoSteps() {
        assertThatIllegalArgumentException().isThrownBy(() -> new FunnelPaths(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new FunnelPaths(21, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new FunnelPaths(1, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> new UnorderedPaths(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new UnorderedPaths(21, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new UnorderedPaths(1, -1));
    }
}
