-- Every counted event, as questions about behaviour need it; person_no 0 = no person.
CREATE TABLE behaviour_event (
    tenant_id     text        NOT NULL,
    person_no     bigint      NOT NULL,
    occurred_at   timestamptz NOT NULL,
    event_id      text        NOT NULL,
    event_type    text        NOT NULL,
    main_property text,
    session_id    text,
    user_id       text,
    anonymous_id  text,
    country       text,
    device        text,
    data          jsonb       NOT NULL,
    received_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, person_no, occurred_at, event_id)
);
CREATE INDEX behaviour_event_of_type ON behaviour_event (tenant_id, event_type, occurred_at);
CREATE INDEX behaviour_event_of_time ON behaviour_event (tenant_id, occurred_at);
SELECT protect('behaviour_event');

-- Each person seen: whom the number stands for, and when the first and the last event occurred.
CREATE TABLE person (
    tenant_id     text        NOT NULL,
    person_no     bigint      NOT NULL,
    user_id       text,
    anonymous_id  text,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, person_no)
);
CREATE INDEX person_user ON person (tenant_id, user_id);
CREATE INDEX person_anonymous ON person (tenant_id, anonymous_id);
CREATE INDEX person_first_seen ON person (tenant_id, first_seen_at);
SELECT protect('person');

-- Funnels that were asked, so that their people can be listed; the id is a hash of the definition.
CREATE TABLE funnel (
    tenant_id  text        NOT NULL,
    funnel_id  text        NOT NULL,
    definition jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, funnel_id)
);
SELECT protect('funnel');
