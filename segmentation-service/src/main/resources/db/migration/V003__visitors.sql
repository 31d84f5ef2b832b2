-- What visitors did whom nobody knows yet, by anonymous id: the same parts as a known user's, so that they count as the
-- user's as soon as etl's ledger says who the visitor is, and no longer when that is undone. Kept apart: lists and
-- comparisons of users never meet visitors.
CREATE TABLE visitor (
    tenant_id     text           NOT NULL,
    anonymous_id  text           NOT NULL,
    first_seen_at timestamptz    NOT NULL,
    last_seen_at  timestamptz    NOT NULL,
    engagement    bigint         NOT NULL,
    visits        tstzmultirange NOT NULL,
    PRIMARY KEY (tenant_id, anonymous_id)
);
SELECT protect('visitor');

CREATE TABLE visitor_event_count (
    tenant_id    text   NOT NULL,
    anonymous_id text   NOT NULL,
    event_type   text   NOT NULL,
    events       bigint NOT NULL,
    PRIMARY KEY (tenant_id, anonymous_id, event_type)
);
SELECT protect('visitor_event_count');

CREATE TABLE visitor_session (
    tenant_id    text NOT NULL,
    anonymous_id text NOT NULL,
    session_id   text NOT NULL,
    PRIMARY KEY (tenant_id, anonymous_id, session_id)
);
SELECT protect('visitor_session');

CREATE TABLE visitor_purchase_day (
    tenant_id    text    NOT NULL,
    anonymous_id text    NOT NULL,
    day          date    NOT NULL,
    currency     text    NOT NULL,
    orders       bigint  NOT NULL,
    amount       numeric NOT NULL,
    PRIMARY KEY (tenant_id, anonymous_id, day, currency)
);
SELECT protect('visitor_purchase_day');

-- Visitors who go by a known user, or did, or were to: etl's ledger of merges.
CREATE TABLE merged_visitor (
    tenant_id    text   NOT NULL,
    anonymous_id text   NOT NULL,
    user_id      text,             -- null = goes by nobody
    revision     bigint NOT NULL,  -- of the ledger, per visitor; 0 = was refused, which anything newer outdoes
    PRIMARY KEY (tenant_id, anonymous_id)
);
CREATE INDEX merged_visitor_of_user ON merged_visitor (tenant_id, user_id);
SELECT protect('merged_visitor');

-- Purchases of users, with those they made as visitors.
CREATE VIEW purchase_of_user WITH (security_invoker = true) AS
SELECT tenant_id, user_id, day, currency, orders, amount FROM purchase_day
UNION ALL
SELECT m.tenant_id, m.user_id, v.day, v.currency, v.orders, v.amount
FROM merged_visitor m JOIN visitor_purchase_day v USING (tenant_id, anonymous_id)
WHERE m.user_id IS NOT NULL;
GRANT SELECT ON purchase_of_user TO ${app}, ${stream};
