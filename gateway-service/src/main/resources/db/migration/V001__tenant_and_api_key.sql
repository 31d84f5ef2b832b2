CREATE TABLE tenant (
    tenant_id  text        PRIMARY KEY,
    name       text        NOT NULL,
    timezone   text        NOT NULL DEFAULT 'UTC',
    currency   text        NOT NULL DEFAULT 'USD',
    created_at timestamptz NOT NULL DEFAULT now()
);
SELECT protect('tenant');

-- A key is found by its hash before its tenant is known, through the _stream role; the key itself is nowhere.
CREATE TABLE api_key (
    tenant_id  text        NOT NULL REFERENCES tenant,
    key_id     text        NOT NULL,
    key_hash   text        NOT NULL UNIQUE CHECK (length(key_hash) = 64),
    name       text        NOT NULL,
    scopes     text[]      NOT NULL,
    org_units  text[]      NOT NULL DEFAULT '{}',
    bootstrap  boolean     NOT NULL DEFAULT false,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key_id)
);
SELECT protect('api_key');
