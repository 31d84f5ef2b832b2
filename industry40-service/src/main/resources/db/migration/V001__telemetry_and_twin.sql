-- One measured value. Its identity is tenant, device, metric and time: the same again is a duplicate, another value
-- overwrites.
CREATE TABLE telemetry_reading (
    tenant_id text        NOT NULL,
    device_id text        NOT NULL,
    metric    text        NOT NULL,
    read_at   timestamptz NOT NULL,
    value     float8      NOT NULL,
    PRIMARY KEY (tenant_id, device_id, metric, read_at)
);
SELECT protect('telemetry_reading');

-- The newest reported value of each metric and what is wanted of the device.
CREATE TABLE twin (
    tenant_id   text        NOT NULL,
    device_id   text        NOT NULL,
    device_type text        NOT NULL DEFAULT '',
    reported    jsonb       NOT NULL DEFAULT '{}',
    desired     jsonb       NOT NULL DEFAULT '{}',
    reported_at timestamptz NOT NULL,
    revision    bigint      NOT NULL DEFAULT 1,
    published_revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, device_id)
);
SELECT protect('twin');
CREATE INDEX twin_unpublished ON twin (tenant_id, device_id) WHERE revision > published_revision;

-- Reported values of two states, per metric the newer of both; the same instant: the right one (it came later).
CREATE FUNCTION newest(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(metric, value), '{}')
    FROM (
        SELECT DISTINCT ON (metric) metric, value
        FROM (SELECT key AS metric, value, 0 AS side FROM jsonb_each(a)
              UNION ALL SELECT key, value, 1 FROM jsonb_each(b)) both_sides
        ORDER BY metric, (value ->> 'at')::timestamptz DESC, side DESC
    ) newest_of_each
$$;
