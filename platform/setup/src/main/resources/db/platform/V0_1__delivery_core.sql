-- What every service has: row security in one call, consumers' positions, jobs.

-- Puts a tenant table under row security for both roles: ${app} sees the tenant set at the beginning of the transaction
-- (none set = no rows), ${stream} sees all. Call it once for each table with a column tenant_id.
CREATE FUNCTION protect(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format(
        'CREATE POLICY of_tenant ON %s TO ${app} USING (tenant_id = current_setting(''mirante.tenant'', true))', relation);
    EXECUTE format('CREATE POLICY of_all ON %s TO ${stream} USING (true)', relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ${app}, ${stream}', relation);
END $$;

-- Next offset to apply, per consumer, topic and partition; written in the transaction of the effect.
CREATE TABLE consumer_position (
    consumer        text   NOT NULL,
    topic           text   NOT NULL,
    partition_no    int    NOT NULL,
    topic_id        text   NOT NULL,
    next_offset     bigint NOT NULL,
    PRIMARY KEY (consumer, topic, partition_no)
);
GRANT SELECT ON consumer_position TO ${app};
GRANT SELECT, INSERT, UPDATE, DELETE ON consumer_position TO ${stream};

-- Last source offset applied, per consumer, partition read, source topic and source partition.
CREATE TABLE source_position (
    consumer         text   NOT NULL,
    topic            text   NOT NULL,
    partition_no     int    NOT NULL,
    source_topic     text   NOT NULL,
    source_partition int    NOT NULL,
    source_offset    bigint NOT NULL,
    PRIMARY KEY (consumer, topic, partition_no, source_topic, source_partition)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON source_position TO ${stream};

-- Long work. A worker holds a lease and renews it; one that dies leaves a lease that runs out, and the job starts again.
CREATE TABLE job (
    id           text        PRIMARY KEY,
    tenant_id    text        NOT NULL,
    kind         text        NOT NULL,
    payload      jsonb       NOT NULL,
    status       text        NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    progress     float8      NOT NULL DEFAULT 0,
    detail       text,
    result       jsonb,
    error        jsonb,
    cancel_requested boolean NOT NULL DEFAULT false,
    attempts     int         NOT NULL DEFAULT 0,
    lease_owner  text,
    lease_until  timestamptz,
    scheduled_at timestamptz NOT NULL DEFAULT now(),
    created_at   timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz
);
CREATE INDEX job_open ON job (scheduled_at) WHERE status IN ('pending', 'running');
CREATE INDEX job_of_tenant ON job (tenant_id, created_at DESC);
SELECT protect('job');
