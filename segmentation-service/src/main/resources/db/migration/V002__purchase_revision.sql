-- One row per tenant: moves whenever the tenant's purchases do, so that what was worked out over all of them can be kept
-- until then.
CREATE TABLE purchase_revision (
    tenant_id text   NOT NULL PRIMARY KEY,
    revision  bigint NOT NULL
);
SELECT protect('purchase_revision');
