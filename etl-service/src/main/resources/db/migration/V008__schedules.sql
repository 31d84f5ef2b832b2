-- Runs that begin by themselves. The next time is claimed in the transaction that submits the run, so a time gives one run.
CREATE TABLE etl_schedule (
    tenant_id         text        NOT NULL,
    name              text        NOT NULL,
    cron              text        NOT NULL,   -- minute hour day month weekday
    timezone          text        NOT NULL,
    mode              text        NOT NULL CHECK (mode IN ('validate_only', 'batch')),
    source            text        NOT NULL,
    strategy          text        CHECK (strategy IN ('merge', 'replace', 'append')),
    strict            boolean     NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    next_at           timestamptz,            -- null = never again
    last_at           timestamptz,
    last_execution_id text,
    skipped           bigint      NOT NULL DEFAULT 0,  -- times at which the run before was not over
    PRIMARY KEY (tenant_id, name)
);
CREATE INDEX etl_schedule_due ON etl_schedule (next_at) WHERE next_at IS NOT NULL;
SELECT protect('etl_schedule');

-- How far a run moved its source's watermark; a roll-back moves it back.
ALTER TABLE etl_run ADD COLUMN watermark_before text, ADD COLUMN watermark_after text;
