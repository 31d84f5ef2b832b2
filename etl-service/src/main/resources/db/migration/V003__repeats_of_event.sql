-- What became of one event is asked by its id.
CREATE INDEX event_repeat_of_event ON event_repeat (tenant_id, event_id, seen_at);
