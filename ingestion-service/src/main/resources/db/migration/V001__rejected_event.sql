-- Events that were not accepted, with their reasons. The original is bytes: it may hold what text columns cannot.
CREATE TABLE rejected_event (
    tenant_id    text        NOT NULL,
    rejection_id text        NOT NULL,
    event_id     text,
    event_type   text,
    reason       text        NOT NULL,
    errors       jsonb       NOT NULL,
    source       text        NOT NULL,
    rejected_at  timestamptz NOT NULL,
    original     bytea       NOT NULL,
    PRIMARY KEY (tenant_id, rejection_id)
);
CREATE INDEX rejected_event_newest ON rejected_event (tenant_id, rejected_at DESC, rejection_id DESC);
SELECT protect('rejected_event');
