-- A rebuild of a tenant's derived tables, from etl's log over a range of the events' own time; its id is its job's. At
-- most one of a tenant is under way. While it runs, what is polled goes into both generations.
CREATE TABLE rebuild (
    tenant_id  text        NOT NULL,
    rebuild_id text        NOT NULL,
    starts_at  timestamptz NOT NULL,   -- included; both are the beginning of a day of the tenant's
    ends_at    timestamptz NOT NULL,   -- not included
    measures   text        NOT NULL,   -- time zone and currency that it counts with
    -- clearing: rows of an earlier one are taken away; running: it is filled; swapped: its rows are taken away; ended
    state      text        NOT NULL CHECK (state IN ('clearing', 'running', 'swapped', 'ended')),
    result     jsonb,                  -- what the swap changed
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, rebuild_id)
);
CREATE UNIQUE INDEX rebuild_under_way ON rebuild (tenant_id) WHERE state <> 'ended';
SELECT protect('rebuild');

-- Partitions of mirante.events.replay on which the replay has ended.
CREATE TABLE rebuild_part (
    tenant_id     text        NOT NULL,
    rebuild_id    text        NOT NULL,
    partition_no  int         NOT NULL,
    events        bigint      NOT NULL, -- of the whole replay
    log_begins_at timestamptz,          -- receipt of the oldest event in etl's log; null = it is empty
    PRIMARY KEY (tenant_id, rebuild_id, partition_no)
);
SELECT protect('rebuild_part');

-- The second generation: columns as in the tables that are shown, in the same order. Of an event one row, whatever it is
-- keyed by elsewhere, so that it is counted once whether it was replayed, polled or both.
CREATE TABLE rebuilt_event (LIKE behaviour_event, PRIMARY KEY (tenant_id, event_id));
SELECT protect('rebuilt_event');
CREATE TABLE rebuilt_window (
    LIKE metric_window INCLUDING DEFAULTS, PRIMARY KEY (tenant_id, scope, granularity, starts_at, dimensions));
SELECT protect('rebuilt_window');
CREATE TABLE rebuilt_value (
    LIKE metric_value, PRIMARY KEY (tenant_id, scope, granularity, starts_at, dimensions, metric));
SELECT protect('rebuilt_value');
