-- Named sources of batch runs. A run names a source; it never gives a path or a host itself.
CREATE TABLE etl_source (
    tenant_id  text        NOT NULL,
    name       text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('upload')),
    format     text        NOT NULL CHECK (format IN ('csv', 'ndjson', 'json', 'parquet')),
    file       text        NOT NULL,          -- in the service's own folder
    file_name  text        NOT NULL,          -- as the client calls it
    bytes      bigint      NOT NULL,
    shape      jsonb,                         -- null = what the file seems to be
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, name)
);
SELECT protect('etl_source');

CREATE TABLE etl_run (
    tenant_id      text        NOT NULL,
    execution_id   text        NOT NULL,
    job_id         text,
    mode           text        NOT NULL CHECK (mode IN ('validate_only')),
    source         text        NOT NULL,
    strict         boolean     NOT NULL,
    reference_time timestamptz,               -- null = when the run began
    status         text        NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    requested_at   timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz,
    extracted      bigint,
    kept           bigint,
    score          float8,
    grade          text,
    gate           text        CHECK (gate IN ('pass', 'fail')),
    stopped_by     text[],
    error          text,
    report         jsonb,
    PRIMARY KEY (tenant_id, execution_id)
);
CREATE INDEX etl_run_by_time ON etl_run (tenant_id, requested_at DESC, execution_id DESC);
CREATE INDEX etl_run_of_source ON etl_run (tenant_id, source, finished_at DESC) WHERE status = 'completed';
SELECT protect('etl_run');

-- Thresholds of checks that a tenant has set for itself, by check.
CREATE TABLE quality_threshold (
    tenant_id  text   NOT NULL,
    check_name text   NOT NULL,
    value      float8 NOT NULL,
    PRIMARY KEY (tenant_id, check_name)
);
SELECT protect('quality_threshold');
