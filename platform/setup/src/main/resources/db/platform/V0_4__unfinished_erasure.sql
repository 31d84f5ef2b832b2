-- What of an erasure comes after its transaction: files, and what jobs made. user_id stands until that is removed too;
-- finished_at is when it was, and while user_id stands the moment a replica first took it up.
ALTER TABLE person_erasure
    ADD COLUMN user_id     text,
    ADD COLUMN finished_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN lease_owner text,
    ADD COLUMN lease_until timestamptz;
CREATE INDEX person_erasure_unfinished ON person_erasure (finished_at) WHERE user_id IS NOT NULL;
