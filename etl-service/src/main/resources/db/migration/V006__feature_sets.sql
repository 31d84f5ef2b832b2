-- What users are compared with for scores and lifetime values; changes only with a batch run over the event log.
CREATE TABLE feature_population (
    tenant_id    text        NOT NULL,
    version      bigint      NOT NULL,
    execution_id text        NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    body         jsonb       NOT NULL,
    withdrawn    boolean     NOT NULL DEFAULT false,  -- its run was rolled back
    PRIMARY KEY (tenant_id, version)
);
SELECT protect('feature_population');

ALTER TABLE user_feature_state ADD COLUMN population bigint;  -- version of what the user was compared with

-- What machine learning reads: a row per user, as the last load left it. Readers see a whole load or none of it.
CREATE SCHEMA IF NOT EXISTS ml_features;
GRANT USAGE ON SCHEMA ml_features TO ${app}, ${stream};
CREATE TABLE ml_features.user_features (
    tenant_id                      text        NOT NULL,
    user_id                        text        NOT NULL,
    recency_days                   float8,
    days_since_last_event          float8,
    tenure_days                    float8,
    days_since_signup              float8,
    frequency_days                 float8,
    orders                         float8,
    monetary                       float8,
    avg_ticket                     float8,
    max_ticket                     float8,
    events_total                   float8,
    sessions_total                 float8,
    active_days                    float8,
    events_7d                      float8,
    events_30d                     float8,
    events_90d                     float8,
    purchases_7d                   float8,
    purchases_30d                  float8,
    purchases_90d                  float8,
    revenue_7d                     float8,
    revenue_30d                    float8,
    revenue_90d                    float8,
    page_views                     float8,
    product_views                  float8,
    add_to_carts                   float8,
    checkouts                      float8,
    searches                       float8,
    refunds                        float8,
    refunded_amount                float8,
    tickets                        float8,
    csat_avg                       float8,
    subscribed                     float8,
    purchase_interval_mean_days    float8,
    purchase_interval_std_days     float8,
    weekend_activity_ratio         float8,
    dias_semana_preferidos         text,
    horarios_atividade             text,
    activity_regularity            float8,
    behavioral_diversity_score     float8,
    favorite_category              text,
    category_diversity             float8,
    preferred_channel              text,
    active_days_30d                float8,
    engagement_score               float8,
    events_per_session             float8,
    total_transactions             float8,
    deposit_amount                 float8,
    withdrawal_amount              float8,
    balance_ratio                  float8,
    ticket_volatility              float8,
    bets                           float8,
    bet_amount                     float8,
    bet_volatility                 float8,
    frequencia_jogo                float8,
    favorite_game_type             text,
    game_diversity_score           float8,
    events_trend_7d                float8,
    events_trend_30d               float8,
    events_trend_90d               float8,
    revenue_trend_7d               float8,
    revenue_trend_30d              float8,
    revenue_trend_90d              float8,
    opt_in_games                   float8,
    opt_in_promotions              float8,
    repeat_purchases               float8,
    age_at_last_purchase_weeks     float8,
    customer_age_weeks             float8,
    repeat_value_mean              float8,
    recency_score                  float8,
    frequency_score                float8,
    monetary_score                 float8,
    recency_score_5                float8,
    frequency_score_5              float8,
    monetary_score_5               float8,
    rfm_segment                    text,
    ticket_medio_categoria         text,
    ticket_category                text,
    expected_purchases_90d         float8,
    customer_lifetime_value        float8,
    customer_lifetime_value_score  float8,
    churn_risk_score               float8,
    as_of                          timestamptz NOT NULL,   -- only events before it are counted
    version                        int         NOT NULL,   -- of the definitions
    execution_id                   text        NOT NULL,   -- run that loaded the row
    updated_at                     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX user_features_of_run ON ml_features.user_features (tenant_id, execution_id);
SELECT protect('ml_features.user_features');

-- Rows that a load changed or removed, as they were before it.
CREATE TABLE ml_features.user_features_backup (
    LIKE ml_features.user_features,
    taken_for text NOT NULL,                                -- the run whose load it was
    PRIMARY KEY (tenant_id, taken_for, user_id)
);
SELECT protect('ml_features.user_features_backup');

ALTER TABLE etl_run
    DROP CONSTRAINT etl_run_mode_check,
    ADD CONSTRAINT etl_run_mode_check CHECK (mode IN ('validate_only', 'batch')),
    ADD COLUMN strategy text CHECK (strategy IN ('merge', 'replace', 'append')),  -- null = the run loads nothing
    ADD COLUMN transformed bigint,           -- users
    ADD COLUMN loaded bigint,
    ADD COLUMN refused bigint,               -- users that were known, of an append
    ADD COLUMN population bigint,            -- version that the run put in force
    ADD COLUMN loaded_at timestamptz,
    ADD COLUMN backup_until timestamptz,     -- null = there is no backup any more
    ADD COLUMN rolled_back_at timestamptz;
CREATE INDEX etl_run_loaded ON etl_run (tenant_id, loaded_at DESC) WHERE loaded_at IS NOT NULL;
