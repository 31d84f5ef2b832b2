-- Each known user's features. A row is due when an event of the user's lies before the log's as_of and is not counted yet,
-- or when the features have become old.
CREATE TABLE user_feature_state (
    tenant_id          text        NOT NULL,
    user_id            text        NOT NULL,
    person_no          bigint      NOT NULL,
    features           jsonb,                 -- null = never computed
    as_of              timestamptz,
    version            int,
    due_at             timestamptz NOT NULL,
    changes            bigint      NOT NULL DEFAULT 1,
    revision           bigint      NOT NULL DEFAULT 0,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX user_feature_state_due ON user_feature_state (tenant_id, due_at);
CREATE INDEX user_feature_state_unpublished ON user_feature_state (tenant_id, user_id) WHERE revision > published_revision;
SELECT protect('user_feature_state');
