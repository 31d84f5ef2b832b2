package io.mirante.platform.persistence;

/** Which tenants have rows in a table, found by one step through an index per tenant, however many rows each has. */
public final class TenantsOf {

    private TenantsOf() {}

    /**
     * A query that begins with the common table expression {@code tenant (tenant_id)}; what follows, another expression after a comma
     * or the query itself, selects from it. PostgreSQL has no loose index scan of its own.
     *
     * @param table with an index that begins with {@code tenant_id}; goes into the text as it is
     */
    public static String query(String table, String rest) {
        return """
        WITH RECURSIVE next_tenant AS (
            (SELECT tenant_id FROM %1$s ORDER BY tenant_id LIMIT 1)
            UNION ALL
            SELECT (SELECT o.tenant_id FROM %1$s o WHERE o.tenant_id > t.tenant_id ORDER BY o.tenant_id LIMIT 1)
            FROM next_tenant t WHERE t.tenant_id IS NOT NULL
        ), tenant AS (SELECT tenant_id FROM next_tenant WHERE tenant_id IS NOT NULL)
        """
                        .formatted(table)
                + rest;
    }
}
