-- The ledger of merged persons: which person goes by which known user, since when and why. One row per pair of numbers.
-- Events keep the number of their own id; a merge is looked up, so that undoing one leaves nothing behind. Whoever changes
-- rows of a person holds the person's row, so that at most one of them is 'merged'; revisions rise over all rows of it.
CREATE TABLE person_merge (
    tenant_id          text        NOT NULL,
    merge_id           text        NOT NULL,          -- person_no-user_no
    kind               text        NOT NULL CHECK (kind IN ('user', 'anonymous')),
    id                 text        NOT NULL,          -- of the person that goes by the user
    person_no          bigint      NOT NULL,
    user_id            text        NOT NULL,
    user_no            bigint      NOT NULL,
    rule               text        NOT NULL CHECK (rule IN ('identify', 'alias')),
    state              text        NOT NULL CHECK (state IN ('merged', 'refused', 'undone')),
    reason             text        CHECK ((state = 'refused') = (reason IS NOT NULL)),
    event_id           text        NOT NULL,
    occurred_at        timestamptz NOT NULL,          -- the event's own time
    recorded_at        timestamptz NOT NULL,
    undone_at          timestamptz,
    undone_by          text,
    revision           bigint      NOT NULL,
    published_revision bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, merge_id)
);
CREATE INDEX person_merge_of_person ON person_merge (tenant_id, person_no);
CREATE INDEX person_merge_of_user ON person_merge (tenant_id, user_no, occurred_at);
CREATE INDEX person_merge_of_id ON person_merge (tenant_id, kind, id);
CREATE INDEX person_merge_unpublished ON person_merge (tenant_id, merge_id) WHERE revision > published_revision;
SELECT protect('person_merge');
