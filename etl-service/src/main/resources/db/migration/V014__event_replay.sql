-- A replay of a range of the event log for somebody's rebuild, and how far it has come: in the order of occurred_at and id.
CREATE TABLE event_replay (
    tenant_id         text        NOT NULL,
    rebuild_id        text        NOT NULL,
    job_id            text        NOT NULL,
    starts_at         timestamptz NOT NULL,   -- of the events' own time, included
    ends_at           timestamptz NOT NULL,   -- not included
    after_occurred_at timestamptz NOT NULL,   -- the last event that was sent
    after_id          text        NOT NULL DEFAULT '',
    events            bigint      NOT NULL DEFAULT 0,
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, rebuild_id)
);
SELECT protect('event_replay');
