package io.mirante.snapshot.behaviour;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FunnelPathsTest {

    private static final int CASES = 60_000;

    @Test
    void agreesWithABruteForceSearchOnSmallRandomHistories() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int i = 0; i < CASES; i++) {
            int steps = 1 + random.nextInt(4);
            int events = random.nextInt(8);
            int span = 1 + random.nextInt(6);
            long window = random.nextInt(span + 2);
            long[] micros = new long[events];
            int[] masks = new int[events];
            for (int e = 0; e < events; e++) {
                micros[e] = random.nextInt(span);
                masks[e] =
                        random.nextInt(3) == 0
                                ? random.nextInt(1 << steps)
                                : 1 << random.nextInt(steps);
            }
            Arrays.sort(micros);
            assertThat(new FunnelPaths(steps, window).find(micros, masks, events))
                    .as(
                            "seed %d case %d: steps %d window %d times %s masks %s",
                            seed, i, steps, window, Arrays.toString(micros), Arrays.toString(masks))
                    .isEqualTo(search(steps, window, micros, masks));
        }
    }

    /** All injective assignments of events to steps 1 … k; furthest, then earliest start, then earliest each. */
    private static long[] search(int steps, long window, long[] micros, int[] masks) {
        List<Long> best = new ArrayList<>();
        search(steps, window, micros, masks, new ArrayList<>(), new boolean[micros.length], best);
        return best.stream().mapToLong(Long::longValue).toArray();
    }

    private static void search(
            int steps,
            long window,
            long[] micros,
            int[] masks,
            List<Long> path,
            boolean[] used,
            List<Long> best) {
        if (better(path, best)) {
            best.clear();
            best.addAll(path);
        }
        if (path.size() == steps) {
            return;
        }
        for (int e = 0; e < micros.length; e++) {
            boolean fits =
                    path.isEmpty()
                            || (micros[e] >= path.getLast()
                                    && micros[e] - path.getFirst() <= window);
            if (!used[e] && fits && (masks[e] & (1 << path.size())) != 0) {
                used[e] = true;
                path.add(micros[e]);
                search(steps, window, micros, masks, path, used, best);
                path.removeLast();
                used[e] = false;
            }
        }
    }

    private static boolean better(List<Long> path, List<Long> best) {
        if (path.size() != best.size()) {
            return path.size() > best.size();
        }
        for (int i = 0; i < path.size(); i++) {
            int order = path.get(i).compareTo(best.get(i));
            if (order != 0) {
                return order < 0;
            }
        }
        return false;
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
    }

    @Test
    void refusesNoSteps() {
        assertThatIllegalArgumentException().isThrownBy(() -> new FunnelPaths(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new FunnelPaths(21, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new FunnelPaths(1, -1));
    }
}
