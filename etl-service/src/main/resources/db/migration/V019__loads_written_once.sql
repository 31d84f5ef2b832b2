-- A load writes its rows once. Those of an earlier load that it replaces stay where they are, so that they are its backup; what is
-- current is what no standing load has replaced, and a view over it is what machine learning reads.
ALTER TABLE ml_features.user_features NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ml_features.user_features_backup NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ml_features.user_features RENAME TO user_features_row;
ALTER TABLE ml_features.user_features_row DROP CONSTRAINT user_features_pkey;
DROP INDEX ml_features.user_features_of_run;

-- A user's row that a later load replaced.
CREATE TABLE ml_features.user_features_replaced (
    tenant_id    text NOT NULL,
    execution_id text NOT NULL,          -- load that the row is of
    user_id      text NOT NULL,
    replaced_by  text NOT NULL,          -- run that loaded another
    PRIMARY KEY (tenant_id, execution_id, user_id)
);
CREATE INDEX user_features_replaced_by ON ml_features.user_features_replaced (tenant_id, replaced_by);

-- Loads that have rows.
CREATE TABLE ml_features.user_features_load (
    tenant_id    text NOT NULL,
    execution_id text NOT NULL,
    replaced_by  text,                   -- run that replaced all rows of the tenant; null = none did
    PRIMARY KEY (tenant_id, execution_id)
);

INSERT INTO ml_features.user_features_replaced
    SELECT tenant_id, execution_id, user_id, taken_for FROM ml_features.user_features_backup
    ON CONFLICT DO NOTHING;
INSERT INTO ml_features.user_features_row (
    tenant_id, user_id, recency_days, days_since_last_event, tenure_days, days_since_signup, frequency_days, orders,
    monetary, avg_ticket, max_ticket, events_total, sessions_total, active_days, events_7d, events_30d, events_90d,
    purchases_7d, purchases_30d, purchases_90d, revenue_7d, revenue_30d, revenue_90d, page_views, product_views,
    add_to_carts, checkouts, searches, refunds, refunded_amount, tickets, csat_avg, subscribed,
    purchase_interval_mean_days, purchase_interval_std_days, weekend_activity_ratio, dias_semana_preferidos,
    horarios_atividade, activity_regularity, behavioral_diversity_score, favorite_category, category_diversity,
    preferred_channel, active_days_30d, engagement_score, events_per_session, total_transactions, deposit_amount,
    withdrawal_amount, balance_ratio, ticket_volatility, bets, bet_amount, bet_volatility, frequencia_jogo,
    favorite_game_type, game_diversity_score, events_trend_7d, events_trend_30d, events_trend_90d, revenue_trend_7d,
    revenue_trend_30d, revenue_trend_90d, opt_in_games, opt_in_promotions, repeat_purchases,
    age_at_last_purchase_weeks, customer_age_weeks, repeat_value_mean, recency_score, frequency_score,
    monetary_score, recency_score_5, frequency_score_5, monetary_score_5, rfm_segment, ticket_medio_categoria,
    ticket_category, expected_purchases_90d, customer_lifetime_value, customer_lifetime_value_score,
    churn_risk_score, as_of, version, execution_id, updated_at)
    SELECT DISTINCT ON (tenant_id, execution_id, user_id)
    tenant_id, user_id, recency_days, days_since_last_event, tenure_days, days_since_signup, frequency_days, orders,
    monetary, avg_ticket, max_ticket, events_total, sessions_total, active_days, events_7d, events_30d, events_90d,
    purchases_7d, purchases_30d, purchases_90d, revenue_7d, revenue_30d, revenue_90d, page_views, product_views,
    add_to_carts, checkouts, searches, refunds, refunded_amount, tickets, csat_avg, subscribed,
    purchase_interval_mean_days, purchase_interval_std_days, weekend_activity_ratio, dias_semana_preferidos,
    horarios_atividade, activity_regularity, behavioral_diversity_score, favorite_category, category_diversity,
    preferred_channel, active_days_30d, engagement_score, events_per_session, total_transactions, deposit_amount,
    withdrawal_amount, balance_ratio, ticket_volatility, bets, bet_amount, bet_volatility, frequencia_jogo,
    favorite_game_type, game_diversity_score, events_trend_7d, events_trend_30d, events_trend_90d, revenue_trend_7d,
    revenue_trend_30d, revenue_trend_90d, opt_in_games, opt_in_promotions, repeat_purchases,
    age_at_last_purchase_weeks, customer_age_weeks, repeat_value_mean, recency_score, frequency_score,
    monetary_score, recency_score_5, frequency_score_5, monetary_score_5, rfm_segment, ticket_medio_categoria,
    ticket_category, expected_purchases_90d, customer_lifetime_value, customer_lifetime_value_score,
    churn_risk_score, as_of, version, execution_id, updated_at
    FROM ml_features.user_features_backup;
DROP TABLE ml_features.user_features_backup;
INSERT INTO ml_features.user_features_load
    SELECT DISTINCT tenant_id, execution_id FROM ml_features.user_features_row;

ALTER TABLE ml_features.user_features_row ADD PRIMARY KEY (tenant_id, execution_id, user_id);
CREATE INDEX user_features_row_of_user ON ml_features.user_features_row (tenant_id, user_id);
ALTER TABLE ml_features.user_features_row FORCE ROW LEVEL SECURITY;
SELECT protect('ml_features.user_features_load');
SELECT protect('ml_features.user_features_replaced');

-- A row per user, as the last load left it. Readers see a whole load or none of it, each with the rights of its own role.
CREATE VIEW ml_features.user_features WITH (security_invoker = true) AS
SELECT
    r.tenant_id, r.user_id, r.recency_days, r.days_since_last_event, r.tenure_days, r.days_since_signup,
    r.frequency_days, r.orders, r.monetary, r.avg_ticket, r.max_ticket, r.events_total, r.sessions_total,
    r.active_days, r.events_7d, r.events_30d, r.events_90d, r.purchases_7d, r.purchases_30d, r.purchases_90d,
    r.revenue_7d, r.revenue_30d, r.revenue_90d, r.page_views, r.product_views, r.add_to_carts, r.checkouts,
    r.searches, r.refunds, r.refunded_amount, r.tickets, r.csat_avg, r.subscribed, r.purchase_interval_mean_days,
    r.purchase_interval_std_days, r.weekend_activity_ratio, r.dias_semana_preferidos, r.horarios_atividade,
    r.activity_regularity, r.behavioral_diversity_score, r.favorite_category, r.category_diversity,
    r.preferred_channel, r.active_days_30d, r.engagement_score, r.events_per_session, r.total_transactions,
    r.deposit_amount, r.withdrawal_amount, r.balance_ratio, r.ticket_volatility, r.bets, r.bet_amount,
    r.bet_volatility, r.frequencia_jogo, r.favorite_game_type, r.game_diversity_score, r.events_trend_7d,
    r.events_trend_30d, r.events_trend_90d, r.revenue_trend_7d, r.revenue_trend_30d, r.revenue_trend_90d,
    r.opt_in_games, r.opt_in_promotions, r.repeat_purchases, r.age_at_last_purchase_weeks, r.customer_age_weeks,
    r.repeat_value_mean, r.recency_score, r.frequency_score, r.monetary_score, r.recency_score_5,
    r.frequency_score_5, r.monetary_score_5, r.rfm_segment, r.ticket_medio_categoria, r.ticket_category,
    r.expected_purchases_90d, r.customer_lifetime_value, r.customer_lifetime_value_score, r.churn_risk_score,
    r.as_of, r.version, r.execution_id, r.updated_at
FROM ml_features.user_features_load l
JOIN ml_features.user_features_row r ON r.tenant_id = l.tenant_id AND r.execution_id = l.execution_id
WHERE l.replaced_by IS NULL AND NOT EXISTS (
    SELECT FROM ml_features.user_features_replaced o
    WHERE o.tenant_id = r.tenant_id AND o.execution_id = r.execution_id AND o.user_id = r.user_id);
GRANT SELECT ON ml_features.user_features TO ${app}, ${stream};
