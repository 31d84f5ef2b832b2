-- What a user or visitor did is kept by UTC day, so that a range of days can be made anew. What was counted before this
-- migration, without days, stays in the day '-infinity'; totals are sums over all days, that one included.

-- Sums of a user's days are kept in their profile: lists and KPIs read them of many users at once.
CREATE TABLE user_day (
    tenant_id     text           NOT NULL,
    user_id       text           NOT NULL,
    day           date           NOT NULL,
    first_seen_at timestamptz    NOT NULL,
    last_seen_at  timestamptz    NOT NULL,
    engagement    bigint         NOT NULL,
    -- Half hours after events without a session id; those that touch are one session, also across midnight.
    visits        tstzmultirange NOT NULL,
    PRIMARY KEY (tenant_id, user_id, day)
);
-- The tables' owner sees no rows while row security is forced.
ALTER TABLE profile NO FORCE ROW LEVEL SECURITY;
INSERT INTO user_day SELECT tenant_id, user_id, '-infinity', first_seen_at, last_seen_at, engagement, visits
FROM profile WHERE first_seen_at IS NOT NULL;
ALTER TABLE profile FORCE ROW LEVEL SECURITY;
SELECT protect('user_day');
ALTER TABLE profile DROP COLUMN visits;

ALTER TABLE event_count
    ADD COLUMN day           date        NOT NULL DEFAULT '-infinity',
    ADD COLUMN received_from timestamptz NOT NULL DEFAULT '-infinity', -- receipt of the first of them
    DROP CONSTRAINT event_count_pkey,
    ADD PRIMARY KEY (tenant_id, user_id, day, event_type);
ALTER TABLE event_count ALTER COLUMN day DROP DEFAULT, ALTER COLUMN received_from DROP DEFAULT;

ALTER TABLE client_session
    ADD COLUMN day date NOT NULL DEFAULT '-infinity',
    DROP CONSTRAINT client_session_pkey,
    ADD PRIMARY KEY (tenant_id, user_id, day, session_id);
ALTER TABLE client_session ALTER COLUMN day DROP DEFAULT;

ALTER TABLE visitor RENAME TO visitor_day;
ALTER TABLE visitor_day
    ADD COLUMN day date NOT NULL DEFAULT '-infinity',
    DROP CONSTRAINT visitor_pkey,
    ADD PRIMARY KEY (tenant_id, anonymous_id, day);
ALTER TABLE visitor_day ALTER COLUMN day DROP DEFAULT;

ALTER TABLE visitor_event_count
    ADD COLUMN day           date        NOT NULL DEFAULT '-infinity',
    ADD COLUMN received_from timestamptz NOT NULL DEFAULT '-infinity',
    DROP CONSTRAINT visitor_event_count_pkey,
    ADD PRIMARY KEY (tenant_id, anonymous_id, day, event_type);
ALTER TABLE visitor_event_count ALTER COLUMN day DROP DEFAULT, ALTER COLUMN received_from DROP DEFAULT;

ALTER TABLE visitor_session
    ADD COLUMN day date NOT NULL DEFAULT '-infinity',
    DROP CONSTRAINT visitor_session_pkey,
    ADD PRIMARY KEY (tenant_id, anonymous_id, day, session_id);
ALTER TABLE visitor_session ALTER COLUMN day DROP DEFAULT;
