package io.mirante.segmentation.rfm;

import io.mirante.contracts.etl.RfmSegment;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * All buyers of a tenant at one day, and how each compares with the others. Immutable.
 *
 * <p>Scores are quintiles: the boundaries of a figure are its values at ranks ⌈n/5⌉, ⌈2n/5⌉, ⌈3n/5⌉ and ⌈4n/5⌉ of the
 * population in rising order, and a score is 1 plus the number of boundaries the value is above; recency the other way
 * round, since few days are good. Equal values have equal scores, so with many ties some scores stay empty.
 */
public final class Population {

    private static final int QUINTILES = 5;

    private final LocalDate at;
    private final NavigableMap<String, Rfm> byUser;
    private final Map<RfmSegment, Integer> sizes;

    private Population(LocalDate at, NavigableMap<String, Rfm> byUser) {
        this.at = at;
        this.byUser = byUser;
        this.sizes = new EnumMap<>(RfmSegment.class);
        for (var segment : RfmSegment.values()) {
            sizes.put(segment, 0);
        }
        byUser.values().forEach(rfm -> sizes.merge(rfm.segment(), 1, Integer::sum));
    }

    /**
     * Compares buyers.
     *
     * @param buyers of whom none bought after {@code at}
     */
    public static Population of(LocalDate at, Collection<Purchases> buyers) {
        var recency = new long[buyers.size()];
        var frequency = new long[buyers.size()];
        var monetary = new BigDecimal[buyers.size()];
        int i = 0;
        for (var buyer : buyers) {
            recency[i] = ChronoUnit.DAYS.between(buyer.lastDay(), at);
            frequency[i] = buyer.days();
            monetary[i++] = buyer.amount();
        }
        Arrays.sort(recency);
        Arrays.sort(frequency);
        Arrays.sort(monetary);
        var byUser = new TreeMap<String, Rfm>();
        for (var buyer : buyers) {
            long days = ChronoUnit.DAYS.between(buyer.lastDay(), at);
            int r = 6 - score(days, recency);
            int f = score(buyer.days(), frequency);
            byUser.put(
                    buyer.userId(),
                    new Rfm(
                            days,
                            buyer.days(),
                            buyer.amount(),
                            r,
                            f,
                            score(buyer.amount(), monetary),
                            RfmSegment.of(r, f)));
        }
        return new Population(at, byUser);
    }

    /** The day the figures speak of. */
    public LocalDate at() {
        return at;
    }

    /** A user's figures, or null for someone who had not bought by then. */
    public @Nullable Rfm of(String userId) {
        return byUser.get(userId);
    }

    /** How many belong to each segment; every segment is there. */
    public Map<RfmSegment, Integer> sizes() {
        return Map.copyOf(sizes);
    }

    /** Users of a segment after a user id, in the order of ids. */
    public List<String> users(RfmSegment segment, @Nullable String after, int limit) {
        var later = after == null ? byUser : byUser.tailMap(after, false);
        return later.entrySet().stream()
                .filter(e -> e.getValue().segment() == segment)
                .map(Map.Entry::getKey)
                .limit(limit)
                .toList();
    }

    public int size() {
        return byUser.size();
    }

    private static int score(long value, long[] sorted) {
        int score = 1;
        for (int q = 1; q < QUINTILES; q++) {
            score += value > sorted[rank(q, sorted.length)] ? 1 : 0;
        }
        return score;
    }

    private static int score(BigDecimal value, BigDecimal[] sorted) {
        int score = 1;
        for (int q = 1; q < QUINTILES; q++) {
            score += value.compareTo(sorted[rank(q, sorted.length)]) > 0 ? 1 : 0;
        }
        return score;
    }

    /** Index of the value at rank ⌈q·n/5⌉. */
    private static int rank(int q, int n) {
        return (int) (((long) q * n + QUINTILES - 1) / QUINTILES) - 1;
    }
}
