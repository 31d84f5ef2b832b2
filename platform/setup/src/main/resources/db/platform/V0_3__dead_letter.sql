-- What consumers passed over as dead, written in the transaction that moves the position past it. A replay marks it in the
-- transaction of its effect, so that a record is applied once however often it is replayed; a letter that stands on the
-- topic without being here comes from an attempt that was rolled back. Letters stay 14 days, these rows 30.
CREATE TABLE dead_letter (
    consumer       text        NOT NULL,
    -- Where the record first stood: of the source, when the record names one, so that a second copy is the same record.
    topic          text        NOT NULL,
    partition_no   int         NOT NULL,
    record_offset  bigint      NOT NULL,
    -- The partition it was read from.
    read_topic     text        NOT NULL,
    read_partition int         NOT NULL,
    buried_at      timestamptz NOT NULL DEFAULT now(),
    replayed_at    timestamptz,
    PRIMARY KEY (consumer, topic, partition_no, record_offset)
);
CREATE INDEX dead_letter_age ON dead_letter (buried_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letter TO ${stream};
