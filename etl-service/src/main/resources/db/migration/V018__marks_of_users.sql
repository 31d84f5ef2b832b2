-- Users who have new events, as polls note them: appended only, so that a poll waits for nobody's features and rewrites no row.
-- Features take the marks out before they are computed, a user's all at once.
CREATE TABLE user_mark (
    tenant_id   text        NOT NULL,
    user_id     text        NOT NULL,
    person_no   bigint      NOT NULL,
    occurred_at timestamptz NOT NULL          -- of the earliest event that the poll brought
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_analyze_threshold = 1000000);
SELECT protect('user_mark');

-- Features lie apart from what says when they are due and published: each of those rewrites its row, and theirs is twenty times as
-- long. Half a page is left free, so that a new version of a row finds room beside the old one and no index has to know.
CREATE TABLE user_feature_values (
    tenant_id text NOT NULL,
    user_id   text NOT NULL,
    features  json NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) WITH (fillfactor = 50);
DO $$ BEGIN
    ALTER TABLE user_feature_values ALTER COLUMN features SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'this PostgreSQL was built without lz4: features are compressed with pglz, which takes longer';
END $$;
SELECT protect('user_feature_values');
INSERT INTO user_feature_values
    SELECT tenant_id, user_id, features::text::json FROM user_feature_state WHERE features IS NOT NULL;
ALTER TABLE user_feature_state DROP COLUMN features;
