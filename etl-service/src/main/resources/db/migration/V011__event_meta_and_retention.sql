-- One place for records that are no event of the log: repetitions of an id, and what could not be processed.
ALTER TABLE event_repeat RENAME TO analytics_event_meta;
ALTER TABLE analytics_event_meta RENAME COLUMN kind TO status;
ALTER TABLE analytics_event_meta RENAME CONSTRAINT event_repeat_pkey TO analytics_event_meta_pkey;
ALTER INDEX event_repeat_of_event RENAME TO analytics_event_meta_of_event;
ALTER TABLE analytics_event_meta
    DROP CONSTRAINT event_repeat_kind_check,
    ADD CONSTRAINT analytics_event_meta_status_check CHECK (status IN ('duplicate', 'conflict', 'failed')),
    ALTER COLUMN event_id DROP NOT NULL,              -- null = the record names none that can be stored
    ADD COLUMN processing_time_ms float8,             -- from the poll to the verdict
    ADD COLUMN retries int NOT NULL DEFAULT 0,
    ADD COLUMN error text,                            -- code of the rejection or dead letter
    ADD COLUMN received_at timestamptz;
-- Not UPDATE: row security hides the rows from their owner.
ALTER TABLE analytics_event_meta ALTER COLUMN received_at TYPE timestamptz USING seen_at;
ALTER TABLE analytics_event_meta ALTER COLUMN received_at SET NOT NULL;
CREATE INDEX analytics_event_meta_by_receipt ON analytics_event_meta (tenant_id, received_at);

-- The time by which retention goes: never ahead of the time that has really passed, whatever the clocks say.
CREATE TABLE retention_time (
    only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    reached  timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON retention_time TO ${stream};

-- Drops past months of the event log that hold nothing any more; answers how many. Does not wait for those who read or write
-- the log: what is busy is left for the next time.
CREATE FUNCTION drop_empty_event_partitions() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${service}, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    part record;
    filled boolean;
    dropped int := 0;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'analytics_event'::regclass AND c.relname ~ '^analytics_event_\d{4}_\d{2}$'
            AND (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC'
                < now() - interval '2 days'
    LOOP
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', part.name) INTO filled;
            -- Not before VACUUM has given its space back: else the look below, under the lock, would read all of that.
            IF NOT filled AND pg_relation_size(part.name) < 8388608 AND NOT row_security_active(part.name) THEN
                LOCK TABLE analytics_event IN ACCESS EXCLUSIVE MODE;
                EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', part.name) INTO filled;
                IF NOT filled THEN
                    EXECUTE format('DROP TABLE %s', part.name);
                    dropped := dropped + 1;
                END IF;
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION drop_empty_event_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_empty_event_partitions() TO ${stream};
