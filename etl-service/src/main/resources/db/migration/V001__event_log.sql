-- Which events exist: the one place in the mesh that knows ids. Partitioned by hash, because a unique key on a table
-- partitioned by time would have to contain the time.
CREATE TABLE event_identity (
    tenant_id     text        NOT NULL,
    event_id      text        NOT NULL,
    content_hash  text        NOT NULL,
    topic         text        NOT NULL,
    partition_no  int         NOT NULL,
    record_offset bigint      NOT NULL,
    received_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
) PARTITION BY HASH (tenant_id, event_id);
DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format(
            'CREATE TABLE event_identity_%s PARTITION OF event_identity FOR VALUES WITH (MODULUS 8, REMAINDER %s)', i, i);
    END LOOP;
END $$;
SELECT protect('event_identity');

-- Records whose id was taken already, once per record: duplicates (same content) and conflicts (another one).
CREATE TABLE event_repeat (
    tenant_id     text        NOT NULL,
    topic         text        NOT NULL,
    partition_no  int         NOT NULL,
    record_offset bigint      NOT NULL,
    event_id      text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('duplicate', 'conflict')),
    seen_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, topic, partition_no, record_offset)
);
SELECT protect('event_repeat');

-- A person's number within the tenant, given once and never again.
CREATE TABLE person (
    tenant_id   text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('user', 'anonymous')),
    id          text        NOT NULL,
    person_no   bigint      NOT NULL CHECK (person_no >= 1),
    numbered_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind, id),
    UNIQUE (tenant_id, person_no)
);
SELECT protect('person');

CREATE TABLE person_counter (
    tenant_id text   PRIMARY KEY,
    next_no   bigint NOT NULL
);
SELECT protect('person_counter');

-- How far mirante.identities has been read back into person.
CREATE TABLE person_relearned (
    partition_no int    PRIMARY KEY,
    topic_id     text   NOT NULL,
    next_offset  bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON person_relearned TO ${stream};

-- The event log: what was accepted, once. Dropped by the month when its time is over.
CREATE TABLE analytics_event (
    tenant_id      text        NOT NULL,
    id             text        NOT NULL,
    received_at    timestamptz NOT NULL,
    occurred_at    timestamptz NOT NULL,
    module         text        NOT NULL,
    event_type     text        NOT NULL,
    user_id        text,
    anonymous_id   text,
    session_id     text,
    person_no      bigint,                  -- null = the event has no person
    amount         numeric,                 -- of the data, where it is a sensible amount
    currency       text,                    -- of the data, upper case; null = the tenant's own
    score          float8,                  -- of csat.submitted
    source         text        NOT NULL,    -- the way in
    schema_version int         NOT NULL,
    partition_key  text        NOT NULL,
    payload        jsonb       NOT NULL,    -- data, metadata, context, timestamp_as_given
    PRIMARY KEY (tenant_id, received_at, id)
) PARTITION BY RANGE (received_at);
CREATE INDEX analytics_event_of_person ON analytics_event (tenant_id, person_no, occurred_at);
CREATE INDEX analytics_event_by_time ON analytics_event (tenant_id, occurred_at);
CREATE TABLE analytics_event_default PARTITION OF analytics_event DEFAULT;
SELECT protect('analytics_event');

-- Makes the partitions of this month and the following ones; answers how many it made. A month whose rows already lie in
-- the default partition stays there.
CREATE FUNCTION create_event_partitions(months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${service}, pg_temp AS $$
DECLARE
    first_day date;
    name text;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('${service}.create_event_partitions', 0));
    FOR i IN 0..least(months_ahead, 24) LOOP
        first_day := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
        name := format('analytics_event_%s', to_char(first_day, 'YYYY_MM'));
        IF to_regclass(name) IS NULL THEN
            BEGIN
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF analytics_event FOR VALUES FROM (%L) TO (%L)',
                    name, first_day::text || ' 00:00:00+00', (first_day + interval '1 month')::date::text || ' 00:00:00+00');
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'rows of % already lie in the default partition', first_day;
            END;
        END IF;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION create_event_partitions(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_event_partitions(int) TO ${stream};
SELECT create_event_partitions(2);
