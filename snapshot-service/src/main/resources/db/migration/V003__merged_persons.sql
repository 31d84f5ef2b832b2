-- Persons who go by a known user, or did: etl's ledger of merges, as far as it says so. Events keep the number of their own
-- id; questions about people look the number up here.
CREATE TABLE merged_person (
    tenant_id text   NOT NULL,
    person_no bigint NOT NULL,
    user_no   bigint,            -- null = was taken apart again
    revision  bigint NOT NULL,   -- of the ledger, per person_no
    PRIMARY KEY (tenant_id, person_no)
);
CREATE INDEX merged_person_of_user ON merged_person (tenant_id, user_no);
SELECT protect('merged_person');
