package io.mirante.gateway.keys;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/** Org units that a key or person is limited to. */
public final class OrgUnits {

    private static final int MAX = 100;
    private static final int MAX_LENGTH = 128;

    private OrgUnits() {}

    /** Adds what is wrong with a request's {@code org_units}; null = not limited, which is right. */
    public static void check(@Nullable List<String> orgUnits, List<FieldError> errors) {
        if (orgUnits == null) {
            return;
        }
        if (orgUnits.isEmpty() || orgUnits.size() > MAX) {
            errors.add(
                    new FieldError(
                            "/org_units",
                            "out_of_range",
                            "org_units must name 1 to %d, or be null for no limit".formatted(MAX)));
        }
        for (int i = 0; i < orgUnits.size(); i++) {
            var unit = orgUnits.get(i);
            if (unit == null
                    || unit.isBlank()
                    || unit.length() > MAX_LENGTH
                    || unit.chars().anyMatch(Character::isISOControl)) {
                errors.add(
                        new FieldError(
                                "/org_units/" + i,
                                "out_of_range",
                                "an org unit has 1 to %d characters".formatted(MAX_LENGTH)));
            }
        }
    }

    /**
     * Refuses to let somebody who is limited give more than they have.
     *
     * @param given empty = not limited
     * @throws ProblemException 403
     */
    public static void requireWithin(Caller caller, List<String> given) {
        if (!caller.orgUnits().isEmpty()
                && (given.isEmpty() || !caller.orgUnits().containsAll(given))) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "outside-org-units",
                    "you are limited to %s and cannot give access beyond; name some of them in org_units"
                            .formatted(caller.orgUnits()));
        }
    }
}
