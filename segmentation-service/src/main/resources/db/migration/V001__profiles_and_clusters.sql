-- One row per known user. Everything here is independent of the order in which events come.
CREATE TABLE profile (
    tenant_id     text           NOT NULL,
    user_id       text           NOT NULL,
    first_seen_at timestamptz,
    last_seen_at  timestamptz,
    engagement    bigint         NOT NULL DEFAULT 0,
    -- Half hours after events without a session id; those that touch are one session.
    visits        tstzmultirange NOT NULL DEFAULT '{}',
    traits        jsonb          NOT NULL DEFAULT '{}',
    traits_at     timestamptz    NOT NULL DEFAULT '-infinity',
    -- Taken off the list of fans; counts stay, since the events still happened.
    removed       boolean        NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, user_id)
);
SELECT protect('profile');

CREATE TABLE event_count (
    tenant_id  text   NOT NULL,
    user_id    text   NOT NULL,
    event_type text   NOT NULL,
    events     bigint NOT NULL,
    PRIMARY KEY (tenant_id, user_id, event_type)
);
SELECT protect('event_count');

CREATE TABLE client_session (
    tenant_id  text NOT NULL,
    user_id    text NOT NULL,
    session_id text NOT NULL,
    PRIMARY KEY (tenant_id, user_id, session_id)
);
SELECT protect('client_session');

-- Anonymous ids a user was seen with.
CREATE TABLE known_as (
    tenant_id    text NOT NULL,
    user_id      text NOT NULL,
    anonymous_id text NOT NULL,
    PRIMARY KEY (tenant_id, user_id, anonymous_id)
);
SELECT protect('known_as');

-- Purchases per user, UTC day and currency: what RFM rests on. Amounts are exact.
CREATE TABLE purchase_day (
    tenant_id text    NOT NULL,
    user_id   text    NOT NULL,
    day       date    NOT NULL,
    currency  text    NOT NULL,
    orders    bigint  NOT NULL,
    amount    numeric NOT NULL,
    PRIMARY KEY (tenant_id, user_id, day, currency)
);
SELECT protect('purchase_day');

-- Each user's newest features. assigned_model is the clustering they were assigned by; null = none yet.
CREATE TABLE user_vector (
    tenant_id      text        NOT NULL,
    user_id        text        NOT NULL,
    revision       bigint      NOT NULL,
    as_of          timestamptz NOT NULL,
    features       jsonb       NOT NULL,
    assigned_model text,
    PRIMARY KEY (tenant_id, user_id)
);
SELECT protect('user_vector');

CREATE TABLE cluster_model (
    tenant_id  text        NOT NULL,
    id         text        NOT NULL,
    version    int         NOT NULL,
    model      jsonb       NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, version)
);
SELECT protect('cluster_model');

CREATE TABLE current_cluster_model (
    tenant_id text NOT NULL PRIMARY KEY,
    model_id  text NOT NULL,
    FOREIGN KEY (tenant_id, model_id) REFERENCES cluster_model (tenant_id, id)
);
SELECT protect('current_cluster_model');

-- Where users belong under the current model, published by revision.
CREATE TABLE user_cluster (
    tenant_id          text        NOT NULL,
    user_id            text        NOT NULL,
    model_id           text        NOT NULL,
    cluster            int         NOT NULL,
    label              text        NOT NULL,
    distance           float8      NOT NULL,
    as_of              timestamptz NOT NULL,
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX user_cluster_unpublished ON user_cluster (tenant_id, user_id) WHERE revision > published_revision;
CREATE INDEX user_cluster_members ON user_cluster (tenant_id, model_id, cluster, user_id);
SELECT protect('user_cluster');

-- churn's newest score of each user.
CREATE TABLE user_risk (
    tenant_id     text        NOT NULL,
    user_id       text        NOT NULL,
    revision      bigint      NOT NULL,
    prediction_id text        NOT NULL,
    model_id      text        NOT NULL,
    model_version int         NOT NULL,
    probability   float8      NOT NULL,
    risk          text        NOT NULL,
    as_of         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);
SELECT protect('user_risk');
