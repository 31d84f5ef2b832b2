-- Everything a tenant has chosen, as one document; published on mirante.tenants by revision.
ALTER TABLE tenant
    ADD COLUMN settings           jsonb       NOT NULL DEFAULT '{}',
    ADD COLUMN revision           bigint      NOT NULL DEFAULT 1,
    ADD COLUMN published_revision bigint      NOT NULL DEFAULT 0,
    ADD COLUMN updated_at         timestamptz NOT NULL DEFAULT now();
UPDATE tenant SET settings = jsonb_build_object('timezone', timezone, 'currency', currency);
ALTER TABLE tenant DROP COLUMN timezone, DROP COLUMN currency;
CREATE INDEX tenant_unpublished ON tenant (tenant_id) WHERE revision > published_revision;

-- A made key (format mrt) is found by its id and has two live secrets while it rotates; key_hash is the SHA-256 of its
-- secret. A key of API_KEYS is any text and is found by the SHA-256 of all of it.
ALTER TABLE api_key
    ADD COLUMN format         text        NOT NULL DEFAULT 'text' CHECK (format IN ('text', 'mrt')),
    ADD COLUMN previous_hash  text        CHECK (length(previous_hash) = 64),
    ADD COLUMN previous_until timestamptz,
    ADD COLUMN rotated_at     timestamptz,
    ADD COLUMN rate_limit     int         CHECK (rate_limit >= 0),
    ADD COLUMN created_by     text        NOT NULL DEFAULT '',
    ADD COLUMN last_used_at   timestamptz,
    ADD CONSTRAINT api_key_id UNIQUE (key_id);

-- People sign in through OIDC: by verified e-mail the first time, by the issuer's subject from then on. An e-mail is one
-- tenant's.
CREATE TABLE person (
    tenant_id    text        NOT NULL REFERENCES tenant,
    user_id      text        NOT NULL UNIQUE,
    email        text        NOT NULL UNIQUE CHECK (email = lower(email)),
    subject      text        UNIQUE,
    name         text        NOT NULL,
    roles        text[]      NOT NULL,
    org_units    text[]      NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text        NOT NULL DEFAULT '',
    last_seen_at timestamptz,
    PRIMARY KEY (tenant_id, user_id)
);
SELECT protect('person');

-- Who did what. Administrative acts are written in the transaction of the act and published from here (revision 1); what
-- came on mirante.audit is published already.
CREATE TABLE audit_entry (
    tenant_id          text        NOT NULL,
    audit_id           text        NOT NULL,
    at                 timestamptz NOT NULL,
    kind               text        NOT NULL,
    subject            text        NOT NULL,
    service            text        NOT NULL,
    action             text        NOT NULL,
    target             text        NOT NULL,
    detail             text,
    status             int         NOT NULL,
    request_id         text        NOT NULL,
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, audit_id)
);
CREATE INDEX audit_entry_newest ON audit_entry (tenant_id, at DESC, audit_id DESC);
CREATE INDEX audit_entry_unpublished ON audit_entry (tenant_id, audit_id) WHERE revision > published_revision;
SELECT protect('audit_entry');
