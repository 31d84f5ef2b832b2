package io.mirante.gateway.keys;

import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * A key as it is asked for.
 *
 * @param tenantId null = the caller's own
 * @param name 1 to 100 characters, for people
 * @param scopes at least one of {@code ingest}, {@code analytics.view}, {@code analytics.manage}, {@code admin}, {@code
 *     platform}
 * @param orgUnits limits the key to these; null = not limited
 * @param expiresAt null = never
 * @param rateLimit requests a minute; null = the tenant's limit, 0 = none
 */
record KeyForm(
        @Nullable String tenantId,
        @Nullable String name,
        @Nullable List<String> scopes,
        @Nullable List<String> orgUnits,
        @Nullable Instant expiresAt,
        @Nullable Integer rateLimit) {

    private static final Set<String> SCOPES = new TreeSet<>(Bootstrap.ALL_SCOPES);
    private static final int MAX_NAME = 100;

    @Override
    public String name() {
        return name == null ? "" : name.strip();
    }

    @Override
    public List<String> scopes() {
        return scopes == null ? List.of() : scopes.stream().distinct().toList();
    }

    /** Org units; empty = not limited. */
    List<String> limitedTo() {
        return orgUnits == null ? List.of() : orgUnits.stream().distinct().toList();
    }

    /**
     * Whether such a key can be, and whether this caller may hand it out: nobody gives what reaches further than they do.
     *
     * @param maxRateLimit highest that a caller without scope platform may give
     * @throws ProblemException 400 naming every field that is wrong, 403 for what the caller may not give
     */
    void check(Caller caller, Instant now, int maxRateLimit) {
        var errors = new ArrayList<FieldError>();
        if (name().isEmpty()
                || name().length() > MAX_NAME
                || name().chars().anyMatch(Character::isISOControl)) {
            errors.add(
                    new FieldError(
                            "/name",
                            "out_of_range",
                            "name must have 1 to %d characters".formatted(MAX_NAME)));
        }
        if (scopes().isEmpty()) {
            errors.add(
                    new FieldError(
                            "/scopes", "required", "scopes must name at least one of " + SCOPES));
        }
        for (int i = 0; i < scopes().size(); i++) {
            if (!SCOPES.contains(scopes().get(i))) {
                errors.add(
                        new FieldError(
                                "/scopes/" + i,
                                "invalid",
                                "%s is no scope; known are %s".formatted(scopes().get(i), SCOPES)));
            }
        }
        OrgUnits.check(orgUnits, errors);
        if (expiresAt != null && !expiresAt.isAfter(now)) {
            errors.add(
                    new FieldError(
                            "/expires_at",
                            "out_of_range",
                            "expires_at must be in the future, was " + expiresAt));
        }
        if (rateLimit != null && !(rateLimit >= 0)) {
            errors.add(
                    new FieldError(
                            "/rate_limit",
                            "out_of_range",
                            "rate_limit must be 0 (no limit) or more requests a minute, was "
                                    + rateLimit));
        }
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        if (!Reach.everywhere(caller)) {
            if (scopes().contains("platform")) {
                throw forbidden("scope platform is given by who has it");
            }
            if (rateLimit != null && (rateLimit == 0 || rateLimit > maxRateLimit)) {
                throw forbidden(
                        "a rate_limit above %d is given with scope platform"
                                .formatted(maxRateLimit));
            }
        }
        OrgUnits.requireWithin(caller, limitedTo());
    }

    private static ProblemException forbidden(String detail) {
        return ProblemException.of(HttpStatus.FORBIDDEN, "missing-scope", detail);
    }
}
