-- Originals are encrypted for their tenant from here on; those of before stay as they are until their time is over.
ALTER TABLE rejected_event
    ADD COLUMN sealed      boolean     NOT NULL DEFAULT false,
    ADD COLUMN truncated   boolean     NOT NULL DEFAULT false,
    ADD COLUMN replayed_at timestamptz;
CREATE INDEX rejected_event_of_event ON rejected_event (tenant_id, event_id);
CREATE INDEX rejected_event_age ON rejected_event (rejected_at);
