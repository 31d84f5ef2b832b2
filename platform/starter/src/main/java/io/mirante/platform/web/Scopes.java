package io.mirante.platform.web;

/** What a key or person may do; expressions for {@code @PreAuthorize}. */
public final class Scopes {

    public static final String INGEST = "hasAuthority('SCOPE_ingest')";
    public static final String VIEW = "hasAuthority('SCOPE_analytics.view')";
    public static final String MANAGE = "hasAuthority('SCOPE_analytics.manage')";
    public static final String ADMIN = "hasAuthority('SCOPE_admin')";
    public static final String PLATFORM = "hasAuthority('SCOPE_platform')";

    /** For the own tenant with {@code admin}, for all with {@code platform}. */
    public static final String ADMIN_OR_PLATFORM =
            "hasAnyAuthority('SCOPE_admin', 'SCOPE_platform')";

    /** Another service, without a person behind it. */
    public static final String INTERNAL = "hasAuthority('SCOPE_internal')";

    public static final String VIEW_OR_INTERNAL =
            "hasAnyAuthority('SCOPE_analytics.view', 'SCOPE_internal')";
    public static final String MANAGE_OR_INTERNAL =
            "hasAnyAuthority('SCOPE_analytics.manage', 'SCOPE_internal')";

    private Scopes() {}
}
