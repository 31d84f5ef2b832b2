-- Models that were trained. Never changed afterwards: which one is in force is said by current_model.
CREATE TABLE model (
    tenant_id  text        NOT NULL,
    id         text        NOT NULL,
    kind       text        NOT NULL,
    version    int         NOT NULL,
    trained    bytea       NOT NULL,
    manifest   jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, kind, version)
);
SELECT protect('model');

CREATE TABLE current_model (
    tenant_id   text        NOT NULL,
    kind        text        NOT NULL,
    model_id    text        NOT NULL,
    promoted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind),
    FOREIGN KEY (tenant_id, model_id) REFERENCES model (tenant_id, id)
);
SELECT protect('current_model');

-- Each user's newest features. scored_model is the model their score stands for; null = not scored yet.
CREATE TABLE feature_vector (
    tenant_id    text        NOT NULL,
    user_id      text        NOT NULL,
    revision     bigint      NOT NULL,
    version      int         NOT NULL,
    as_of        timestamptz NOT NULL,
    features     jsonb       NOT NULL,
    scored_model text,
    PRIMARY KEY (tenant_id, user_id)
);
SELECT protect('feature_vector');

-- The score in force per user, published by revision. Written when model or band change, or the probability by 0.02.
CREATE TABLE user_prediction (
    tenant_id          text        NOT NULL,
    user_id            text        NOT NULL,
    prediction_id      text        NOT NULL,
    model_id           text        NOT NULL,
    model_version      int         NOT NULL,
    probability        float8      NOT NULL,
    risk               text        NOT NULL,
    reasons            jsonb       NOT NULL,
    as_of              timestamptz NOT NULL,
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX user_prediction_unpublished ON user_prediction (tenant_id, user_id) WHERE revision > published_revision;
SELECT protect('user_prediction');

-- History. Ids are uuidv7: their order is the order in time.
CREATE TABLE prediction (
    tenant_id     text        NOT NULL,
    id            text        NOT NULL,
    customer_id   text,
    model         text        NOT NULL,
    model_id      text        NOT NULL,
    model_version int         NOT NULL,
    label         text        NOT NULL,
    probability   float8      NOT NULL,
    margin        float8      NOT NULL,
    base_value    float8      NOT NULL,
    threshold     float8      NOT NULL,
    risk          text        NOT NULL,
    reasons       jsonb       NOT NULL,
    origin        text        NOT NULL CHECK (origin IN ('features', 'request')),
    as_of         timestamptz,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX prediction_of_customer ON prediction (tenant_id, customer_id, id DESC);
SELECT protect('prediction');
