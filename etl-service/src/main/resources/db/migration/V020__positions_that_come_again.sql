-- A topic that was made anew has the same positions again: records are told apart by the time of their receipt too.
ALTER TABLE analytics_event_meta
    DROP CONSTRAINT analytics_event_meta_pkey,
    ADD PRIMARY KEY (tenant_id, topic, partition_no, record_offset, received_at);
