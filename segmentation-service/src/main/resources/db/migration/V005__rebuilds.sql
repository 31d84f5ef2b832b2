-- A rebuild of a tenant's derived tables, from etl's log over a range of the events' own time; its id is its job's. At
-- most one of a tenant is under way. While it runs, what is polled goes into both generations.
CREATE TABLE rebuild (
    tenant_id  text        NOT NULL,
    rebuild_id text        NOT NULL,
    starts_at  timestamptz NOT NULL,   -- included; both are the beginning of a UTC day
    ends_at    timestamptz NOT NULL,   -- not included
    measures   text        NOT NULL,   -- currency of purchases that name none
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

-- Events that the second generation holds, so that one is counted once whether it was replayed, polled or both.
CREATE TABLE rebuilt_event (
    tenant_id text NOT NULL,
    event_id  text NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
SELECT protect('rebuilt_event');

-- The second generation: columns as in the tables that are shown, in the same order.
DO $$
DECLARE shown text;
BEGIN
    FOREACH shown IN ARRAY ARRAY['profile', 'known_as', 'user_day', 'event_count', 'client_session', 'purchase_day',
        'visitor_day', 'visitor_event_count', 'visitor_session', 'visitor_purchase_day'] LOOP
        EXECUTE format('CREATE TABLE rebuilt_%s (LIKE %1$s INCLUDING DEFAULTS INCLUDING INDEXES)', shown);
        PERFORM protect(format('rebuilt_%s', shown));
    END LOOP;
END $$;
