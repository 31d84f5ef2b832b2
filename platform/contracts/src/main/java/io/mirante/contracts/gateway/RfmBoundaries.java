package io.mirante.contracts.gateway;

import java.math.BigDecimal;
import java.util.List;

/**
 * Where the five scores of recency, frequency and monetary value part, four boundaries each, rising. A value at a
 * boundary belongs to the lower part. Few days of recency are the best score, many purchases and much money are.
 *
 * @param recencyDays such as 7, 30, 90, 180
 * @param frequency days with a purchase, such as 1, 2, 4, 8
 * @param monetary in the tenant's currency, such as 50, 100, 250, 1000
 */
public record RfmBoundaries(
        List<BigDecimal> recencyDays, List<BigDecimal> frequency, List<BigDecimal> monetary) {

    private static final int PARTS = 4;

    public RfmBoundaries {
        recencyDays = checked("recency_days", recencyDays);
        frequency = checked("frequency", frequency);
        monetary = checked("monetary", monetary);
    }

    private static List<BigDecimal> checked(String field, List<BigDecimal> given) {
        boolean valid =
                given != null
                        && given.size() == PARTS
                        && given.stream().allMatch(b -> b != null && b.signum() >= 0);
        for (int i = 1; valid && i < PARTS; i++) {
            valid = given.get(i - 1).compareTo(given.get(i)) < 0;
        }
        if (!valid) {
            throw new InvalidSettingException(
                    "/" + field,
                    "invalid",
                    "%s must be four rising numbers, 0 or more, was %s".formatted(field, given));
        }
        return List.copyOf(given);
    }
}
