-- What this service removed of which person, by a hash of the id; published on mirante.erasures.done by revision.
CREATE TABLE person_erasure (
    tenant_id          text        NOT NULL,
    user_hash          text        NOT NULL,
    erasure_id         text        NOT NULL,
    erased_at          timestamptz NOT NULL,
    removed            jsonb       NOT NULL,
    person_nos         bigint[]    NOT NULL,
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, user_hash)
);
CREATE INDEX person_erasure_unpublished ON person_erasure (tenant_id, user_hash) WHERE revision > published_revision;
SELECT protect('person_erasure');
