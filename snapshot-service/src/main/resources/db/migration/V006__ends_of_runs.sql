-- Ends of etl's runs that were counted: mirante.quality may bring one twice.
CREATE TABLE counted_run (
    tenant_id    text        NOT NULL,
    execution_id text        NOT NULL,
    revision     bigint      NOT NULL,
    ended_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, execution_id, revision)
);
SELECT protect('counted_run');
