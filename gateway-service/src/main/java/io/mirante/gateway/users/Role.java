package io.mirante.gateway.users;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** What a person may do, as scopes. */
enum Role {
    /** Sends events. */
    @JsonProperty("producer")
    PRODUCER("ingest"),
    /** Reads. */
    @JsonProperty("viewer")
    VIEWER("analytics.view"),
    /** Reads and changes reports, models, rules. */
    @JsonProperty("analyst")
    ANALYST("analytics.view", "analytics.manage"),
    /** Runs the tenant: also its settings, keys and people. */
    @JsonProperty("admin")
    ADMIN("analytics.view", "analytics.manage", "admin"),
    /** Runs the installation: all tenants. */
    @JsonProperty("platform")
    PLATFORM("ingest", "analytics.view", "analytics.manage", "admin", "platform");

    private final List<String> scopes;

    Role(String... scopes) {
        this.scopes = List.of(scopes);
    }

    /** The name on the wire and in the store. */
    String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Role of(String wireName) {
        return valueOf(wireName.toUpperCase(Locale.ROOT));
    }

    /** All that the roles allow together. */
    static List<String> scopes(Collection<Role> roles) {
        return roles.stream().flatMap(r -> r.scopes.stream()).distinct().toList();
    }
}
