-- What events add to each metric, per minute of their own time. '' = the event does not say.
CREATE TABLE metric_minute (
    tenant_id text        NOT NULL,
    metric    text        NOT NULL, -- scope.name of the catalogue
    minute    timestamptz NOT NULL,
    org_unit  text        NOT NULL,
    channel   text        NOT NULL,
    priority  text        NOT NULL,
    total     numeric     NOT NULL,
    PRIMARY KEY (tenant_id, metric, minute, org_unit, channel, priority)
) WITH (fillfactor = 70);
SELECT protect('metric_minute');
