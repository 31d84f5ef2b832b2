-- How long a run that was resumed had ended: it does not count as its duration.
ALTER TABLE etl_run
    ADD COLUMN paused_at timestamptz,                        -- since when, until it goes on; null = it does not wait to
    ADD COLUMN paused_seconds float8 NOT NULL DEFAULT 0;
