package io.mirante.contracts.etl;

import java.util.Locale;

/**
 * The ten segments by recency score (rows) and frequency score (columns), 5 the best:
 *
 * <pre>
 * R\F   1                2                    3                    4              5
 * 5     new              potential_loyalist   potential_loyalist   champions      champions
 * 4     promising        potential_loyalist   potential_loyalist   loyal          loyal
 * 3     about_to_sleep   about_to_sleep       need_attention       loyal          loyal
 * 1–2   hibernating      hibernating          at_risk              at_risk        cannot_lose
 * </pre>
 */
public enum RfmSegment {
    CHAMPIONS,
    LOYAL,
    POTENTIAL_LOYALIST,
    NEW,
    PROMISING,
    NEED_ATTENTION,
    ABOUT_TO_SLEEP,
    AT_RISK,
    CANNOT_LOSE,
    HIBERNATING;

    /**
     * The segment of two scores.
     *
     * @param r recency score, 1 to 5
     * @param f frequency score, 1 to 5
     */
    public static RfmSegment of(int r, int f) {
        if (!(r >= 1 && r <= 5 && f >= 1 && f <= 5)) {
            throw new IllegalArgumentException("scores must be 1 to 5, were " + r + " and " + f);
        }
        return switch (r) {
            case 5 -> f >= 4 ? CHAMPIONS : f >= 2 ? POTENTIAL_LOYALIST : NEW;
            case 4 -> f >= 4 ? LOYAL : f >= 2 ? POTENTIAL_LOYALIST : PROMISING;
            case 3 -> f >= 4 ? LOYAL : f == 3 ? NEED_ATTENTION : ABOUT_TO_SLEEP;
            default -> f == 5 ? CANNOT_LOSE : f >= 3 ? AT_RISK : HIBERNATING;
        };
    }

    /** As it is written in answers. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
