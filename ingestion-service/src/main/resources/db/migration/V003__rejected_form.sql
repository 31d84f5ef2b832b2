-- What came in another form than an event's own is kept as it came, and translated anew when it is replayed: segment,
-- cloudevent or import; NULL = an event's own form.
ALTER TABLE rejected_event ADD COLUMN form text;
