-- A window of counts and sums: tenant, scope, granularity, start and one combination of dimensions. Key columns are text
-- because the publisher of state compares them so; starts_at is RFC 3339 in whole seconds, always 20 characters, so that
-- its order in collation C is the order of time.
CREATE TABLE metric_window (
    tenant_id          text        NOT NULL,
    scope              text        NOT NULL,
    granularity        text        NOT NULL CHECK (granularity IN ('hourly', 'daily')),
    starts_at          text        COLLATE "C" NOT NULL CHECK (length(starts_at) = 20),
    dimensions         text        COLLATE "C" NOT NULL,
    ends_at            timestamptz NOT NULL,
    as_of              timestamptz NOT NULL,
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, scope, granularity, starts_at, dimensions)
);
CREATE INDEX metric_window_unpublished ON metric_window (tenant_id, scope, granularity, starts_at, dimensions)
    WHERE revision > published_revision;
SELECT protect('metric_window');

-- The additive metrics of a window, one row each.
CREATE TABLE metric_value (
    tenant_id   text    NOT NULL,
    scope       text    NOT NULL,
    granularity text    NOT NULL,
    starts_at   text    COLLATE "C" NOT NULL,
    dimensions  text    COLLATE "C" NOT NULL,
    metric      text    NOT NULL,
    value       numeric NOT NULL,
    PRIMARY KEY (tenant_id, scope, granularity, starts_at, dimensions, metric)
);
SELECT protect('metric_value');
