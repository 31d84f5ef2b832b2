CREATE TABLE counted (
    tenant_id text NOT NULL,
    event_id  text NOT NULL,
    times     int  NOT NULL DEFAULT 1,
    revision  bigint NOT NULL DEFAULT 1,
    published_revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, event_id)
);
SELECT protect('counted');
