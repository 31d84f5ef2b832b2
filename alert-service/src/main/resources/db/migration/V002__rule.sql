CREATE TABLE rule (
    tenant_id      text        NOT NULL,
    rule_id        text        NOT NULL,
    type           text        NOT NULL,
    org_unit       text        NOT NULL, -- '' = any
    channel        text        NOT NULL,
    priority       text        NOT NULL,
    metric         text        NOT NULL,
    operator       text        NOT NULL CHECK (operator IN ('gte', 'gt', 'lte', 'lt')),
    threshold      numeric     NOT NULL,
    window_seconds bigint      NOT NULL CHECK (window_seconds > 0),
    hold_seconds   bigint      NOT NULL CHECK (hold_seconds >= 0),
    active         boolean     NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, rule_id)
);
CREATE INDEX rule_active ON rule (tenant_id) WHERE active;
SELECT protect('rule');

-- The states of alerts; rule_id is 'manual' for those raised by hand. Outlives its rule.
CREATE TABLE alert (
    tenant_id          text        NOT NULL,
    alert_id           text        NOT NULL,
    rule_id            text        NOT NULL,
    type               text        NOT NULL,
    metric             text        NOT NULL,
    state              text        NOT NULL CHECK (state IN ('pending', 'firing', 'resolved')),
    value              numeric     NOT NULL,
    threshold          numeric     NOT NULL,
    started_at         timestamptz NOT NULL,
    fired_at           timestamptz,
    resolved_at        timestamptz,
    acknowledged_at    timestamptz,
    acknowledged_by    text,
    revision           bigint      NOT NULL DEFAULT 1,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, alert_id)
);
CREATE UNIQUE INDEX alert_open ON alert (tenant_id, rule_id) WHERE state <> 'resolved' AND rule_id <> 'manual';
CREATE INDEX alert_unpublished ON alert (tenant_id, alert_id) WHERE revision > published_revision;
SELECT protect('alert');
