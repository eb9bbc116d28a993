-- +goose Up
CREATE TABLE hook (
    id              uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    url             text NOT NULL,
    description     text NOT NULL,
    events          text[] NOT NULL,
    active          boolean NOT NULL,
    disabled_reason text,                            -- why Itemcast made it inactive; null: it did not
    secret          text NOT NULL,                   -- whsec_…
    after_position  bigint NOT NULL,                 -- it gets what follows this position of the log,
    after_changes   bigint[] NOT NULL,               -- but for these, which were committed before it and had no position yet
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX hook_by_account ON hook (account_id, id);

-- One row for each change and hook that wants it; internal/hook/doc.go has its states. The document stays in the log.
CREATE TABLE delivery (
    id          uuid PRIMARY KEY,                    -- also its webhook-id
    account_id  uuid NOT NULL,
    hook_id     uuid NOT NULL REFERENCES hook ON DELETE CASCADE,
    item_id     uuid NOT NULL,
    change_id   bigint NOT NULL,
    position    bigint NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'failed')),
    due_at      timestamptz,                         -- null while parked behind an earlier one of its line, and when it is done with
    claim       uuid,                                -- who is at it; a result counts only under the claim that it was sent with
    attempts    integer NOT NULL DEFAULT 0,
    last_status integer,                             -- HTTP; null when there was no answer
    last_error  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (hook_id, change_id)
) WITH (fillfactor = 90);
CREATE INDEX delivery_due ON delivery (hook_id, due_at) WHERE state = 'pending' AND due_at IS NOT NULL;
CREATE INDEX delivery_line ON delivery (hook_id, item_id, position) WHERE state = 'pending';

-- +goose Down
DROP TABLE delivery, hook;
