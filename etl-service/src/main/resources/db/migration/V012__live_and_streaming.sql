-- How many events a user's features counted last: users with very many are computed apart from the others, less often.
ALTER TABLE user_feature_state
    ADD COLUMN events bigint NOT NULL DEFAULT 0,
    ADD COLUMN computed_at timestamptz;      -- by the database's clock; null = before there was this column
CREATE INDEX user_feature_state_heavy_due ON user_feature_state (tenant_id, due_at) WHERE events > 5000;

-- Runs that go on: each of their micro-batches is a run of its own.
ALTER TABLE etl_run
    DROP CONSTRAINT etl_run_mode_check,
    ADD CONSTRAINT etl_run_mode_check CHECK (mode IN ('validate_only', 'batch', 'streaming')),
    ADD COLUMN interval_seconds int,         -- null = no streaming run
    ADD COLUMN micro_batches bigint,         -- of a streaming run, so far
    ADD COLUMN tries_failed int NOT NULL DEFAULT 0,  -- of a streaming run, since the last micro-batch that loaded
    ADD COLUMN part_of text,                 -- the streaming run whose micro-batch it is
    ADD COLUMN position_before text,         -- how far the micro-batches before it had loaded; null = nothing
    ADD COLUMN position text;                -- how far it is loaded
