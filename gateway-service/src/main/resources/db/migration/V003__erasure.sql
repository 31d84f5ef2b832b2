-- Who was erased, and who is being erased: user_id is there only until all services have answered. Published on
-- mirante.erasures by revision; erasure_id is the job's id, of the newest erasure.
CREATE TABLE erasure (
    tenant_id          text        NOT NULL,
    user_hash          text        NOT NULL,
    user_id            text,
    erasure_id         text        NOT NULL,
    state              text        NOT NULL CHECK (state IN ('requested', 'numbered', 'completed')),
    requested_at       timestamptz NOT NULL,
    erased_at          timestamptz,
    person_nos         bigint[]    NOT NULL DEFAULT '{}',
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, user_hash),
    CHECK ((state = 'completed') = (user_id IS NULL))
);
CREATE INDEX erasure_unpublished ON erasure (tenant_id, user_hash) WHERE revision > published_revision;
SELECT protect('erasure');

-- What each service answered.
CREATE TABLE erasure_answer (
    tenant_id  text        NOT NULL,
    erasure_id text        NOT NULL,
    service    text        NOT NULL,
    erased_at  timestamptz NOT NULL,
    removed    jsonb       NOT NULL,
    PRIMARY KEY (tenant_id, erasure_id, service)
);
SELECT protect('erasure_answer');
