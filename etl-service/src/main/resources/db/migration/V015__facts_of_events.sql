-- What features read of an event, as one short text that the index of the person's events has beside its key: computing a
-- user's features reads a few neighbouring pages of the index, and neither the log's rows nor their JSON. PostgreSQL makes
-- it of the row, so it cannot differ from it: not after an erasure, not in rows that were there before.
CREATE FUNCTION fact_text(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '=' || replace(replace(replace(value, '\', '\\'), chr(30), '\r'), chr(31), '\f');

-- Fields end with U+001F, in the order of io.mirante.etl.features.Fact; '' = null. At most some 2,400 bytes, what fits an index.
ALTER TABLE analytics_event ADD COLUMN fact text NOT NULL GENERATED ALWAYS AS (
    fact_text(left(event_type, 100)) || chr(31)
    || CASE WHEN user_id IS NULL THEN '' ELSE '1' END || chr(31)
    || coalesce(left(md5(session_id), 16), '') || chr(31)
    || coalesce(amount::text, '') || chr(31)
    || coalesce(left(currency, 16), '') || chr(31)
    || coalesce(score::text, '') || chr(31)
    || coalesce(fact_text(left(payload #>> '{data,category}', 100)), '') || chr(31)
    || coalesce(fact_text(left(payload #>> '{data,channel}', 100)), '') || chr(31)
    || CASE WHEN event_type IN ('bet_placed', 'bet_settled')
        THEN coalesce(fact_text(left(lower(payload #>> '{data,game_type}'), 16)), '') ELSE '' END || chr(31)
    || CASE WHEN event_type = 'identify' THEN
        CASE lower(payload #>> '{data,traits,opt_in_games}') WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE '' END || chr(31)
        || CASE lower(payload #>> '{data,traits,opt_in_promotions}') WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE '' END
        ELSE chr(31) END || chr(31)
    || CASE WHEN event_type IN ('identify', 'subscription_started', 'subscription_renewed', 'subscription_cancelled')
        THEN fact_text(left(id, 200)) ELSE '' END
) STORED;

DROP INDEX analytics_event_of_person;
CREATE INDEX analytics_event_of_person ON analytics_event (tenant_id, person_no, occurred_at) INCLUDE (fact);

-- Until when a user is left out whose features could not be computed; null = nothing is wrong.
ALTER TABLE user_feature_state ADD COLUMN retry_at timestamptz;
