package io.mirante.gateway.users;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A person whom a tenant has let in.
 *
 * @param email lower case; one tenant's only
 * @param subject the issuer's id of the person; null until the first sign-in
 * @param orgUnits null = not limited
 * @param createdBy id of the key or person that let them in
 */
record Person(
        String id,
        String tenantId,
        String email,
        @Nullable String subject,
        String name,
        List<Role> roles,
        @Nullable List<String> orgUnits,
        Instant createdAt,
        String createdBy,
        @Nullable Instant lastSeenAt) {

    @JsonIgnore
    List<String> limitedTo() {
        return orgUnits == null ? List.of() : orgUnits;
    }
}
