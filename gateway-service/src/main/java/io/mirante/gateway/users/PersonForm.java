package io.mirante.gateway.users;

import io.mirante.gateway.keys.OrgUnits;
import io.mirante.gateway.keys.Reach;
import io.mirante.platform.web.Caller;
import io.mirante.platform.web.FieldError;
import io.mirante.platform.web.ProblemException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;

/**
 * A person as they are let in.
 *
 * @param tenantId null = the caller's own
 * @param email as the issuer verifies it; upper and lower case are the same
 * @param subject the issuer's id, where it is known; null = taken from the first sign-in with this e-mail
 * @param name for people; null = the e-mail
 * @param roles at least one
 * @param orgUnits limits the person to these; null = not limited
 */
record PersonForm(
        @Nullable String tenantId,
        @Nullable String email,
        @Nullable String subject,
        @Nullable String name,
        @Nullable List<Role> roles,
        @Nullable List<String> orgUnits) {

    private static final Pattern EMAIL =
            Pattern.compile("[^\\s@\\p{Cntrl}]{1,64}@[^\\s@\\p{Cntrl}]{1,189}");
    private static final int MAX_TEXT = 200;

    @Override
    public String email() {
        return email == null ? "" : email.strip().toLowerCase(Locale.ROOT);
    }

    @Override
    public String name() {
        return name == null || name.isBlank() ? email() : name.strip();
    }

    @Override
    public List<Role> roles() {
        return roles == null ? List.of() : roles.stream().distinct().toList();
    }

    /** Org units; empty = not limited. */
    List<String> limitedTo() {
        return orgUnits == null ? List.of() : orgUnits.stream().distinct().toList();
    }

    /**
     * Whether such a person can be, and whether this caller may let them in.
     *
     * @throws ProblemException 400 naming every field that is wrong, 403 for what the caller may not give
     */
    void check(Caller caller) {
        var errors = new ArrayList<FieldError>();
        if (!EMAIL.matcher(email()).matches()) {
            errors.add(new FieldError("/email", "invalid", "email must be an e-mail address"));
        }
        if (tooLong(name())) {
            errors.add(
                    new FieldError(
                            "/name",
                            "out_of_range",
                            "name must have at most %d characters".formatted(MAX_TEXT)));
        }
        if (subject != null && (subject.isBlank() || tooLong(subject))) {
            errors.add(
                    new FieldError(
                            "/subject",
                            "out_of_range",
                            "subject must have 1 to %d characters, or be null"
                                    .formatted(MAX_TEXT)));
        }
        if (roles().isEmpty()) {
            errors.add(
                    new FieldError(
                            "/roles",
                            "required",
                            "roles must name at least one of producer, viewer, analyst, admin,"
                                    + " platform"));
        }
        OrgUnits.check(orgUnits, errors);
        if (!errors.isEmpty()) {
            throw ProblemException.malformed(errors);
        }
        if (roles().contains(Role.PLATFORM) && !Reach.everywhere(caller)) {
            throw ProblemException.of(
                    HttpStatus.FORBIDDEN,
                    "missing-scope",
                    "role platform is given by who has scope platform");
        }
        OrgUnits.requireWithin(caller, limitedTo());
    }

    private static boolean tooLong(String text) {
        return text.length() > MAX_TEXT || text.chars().anyMatch(Character::isISOControl);
    }
}
