-- Who is told; owner_id is a rule or an alert raised by hand. A removed one stays for the deliveries under way.
CREATE TABLE recipient (
    tenant_id       text        NOT NULL,
    recipient_id    text        NOT NULL,
    owner_id        text        NOT NULL,
    url             text        NOT NULL,
    secret          text        NOT NULL, -- whsec_…, as the receiver has it
    disabled_reason text,
    removed_at      timestamptz,
    PRIMARY KEY (tenant_id, recipient_id)
);
CREATE INDEX recipient_of_owner ON recipient (tenant_id, owner_id);
SELECT protect('recipient');

-- One message to one recipient; written in the transaction of the state change it tells about.
CREATE TABLE delivery (
    tenant_id       text        NOT NULL,
    delivery_id     text        NOT NULL, -- the webhook-id
    alert_id        text        NOT NULL,
    revision        bigint      NOT NULL,
    recipient_id    text        NOT NULL,
    payload         text        NOT NULL, -- the very bytes that are signed and sent
    status          text        NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts        int         NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL, -- also the lease of the attempt under way
    last_answer     text,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    PRIMARY KEY (tenant_id, delivery_id),
    UNIQUE (tenant_id, alert_id, revision, recipient_id)
);
CREATE INDEX delivery_due ON delivery (next_attempt_at) WHERE status = 'pending';
CREATE INDEX delivery_pending ON delivery (tenant_id, recipient_id) WHERE status = 'pending';
SELECT protect('delivery');
