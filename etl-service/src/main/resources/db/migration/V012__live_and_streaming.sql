-- How many events a user's features counted last: users with very many are computed apart from the others, less often.
ALTER TABLE user_feature_state ADD COLUMN events bigint NOT NULL DEFAULT 0;
CREATE INDEX user_feature_state_heavy_due ON user_feature_state (tenant_id, due_at) WHERE events > 5000;
