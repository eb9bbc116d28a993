-- +goose Up
-- What a hook is sent, and how.
ALTER TABLE hook
    ADD COLUMN filter           jsonb,                -- the list's filters; null: every item
    ADD COLUMN changed_fields   text[],               -- an update is sent when it changed one of them; null: whatever it changed
    ADD COLUMN headers          jsonb NOT NULL DEFAULT '{}', -- its owner's own: never shown again
    ADD COLUMN body             text NOT NULL DEFAULT 'full' CHECK (body IN ('full', 'thin')),
    ADD COLUMN rate_limit       integer CHECK (rate_limit > 0),   -- requests a second, of all nodes; null: no limit
    ADD COLUMN max_in_flight    integer CHECK (max_in_flight > 0), -- requests at a time, of all nodes; null: what each node does
    ADD COLUMN paced_to         timestamptz,          -- up to when the requests sent have used up rate_limit
    ADD COLUMN old_secret       text,                 -- signs too, until
    ADD COLUMN old_secret_until timestamptz,
    ADD COLUMN failing_since    timestamptz,          -- the first failure after the last success; null: it works
    ADD COLUMN deleted_at       timestamptz;          -- its row goes once nothing of it is pending

-- The queue: what is pending and nothing else. What is done with moves to delivery_attempt, under the lock of the lines.
DROP INDEX delivery_due, delivery_line;
ALTER TABLE delivery RENAME TO delivery_before;
CREATE TABLE delivery (
    hook_id      uuid NOT NULL,
    position     bigint NOT NULL,                    -- of the change
    id           uuid NOT NULL,                      -- also its webhook-id; made of what is sent and to whom, so that one change has one id
    account_id   uuid NOT NULL,
    item_id      uuid NOT NULL,
    change_id    bigint NOT NULL,
    revision     bigint NOT NULL,
    kind         text NOT NULL,
    trigger      text,                               -- why it is sent, when that is not the change's own reason
    thin         boolean NOT NULL,                   -- the body that its hook asked for when it was made: a retry sends the same bytes
    due_at       timestamptz,                        -- null while parked behind an earlier one of its line
    claim        uuid,                               -- who is at it; a result counts only under the claim that it was sent with
    claimed_to   timestamptz,                        -- when the claim lapses
    node         integer,                            -- which node that is (presence.go)
    attempts     integer NOT NULL DEFAULT 0,
    round        integer NOT NULL DEFAULT 0,         -- attempts before it was last asked for by hand: the schedule begins anew
    last_attempt timestamptz,
    last_status  integer,                            -- HTTP; null when there was no answer
    last_fault   text,
    last_error   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hook_id, position)
) WITH (fillfactor = 60); -- a claim changes no column that has an index, and finds room for the row in the same page (HOT)
INSERT INTO delivery (hook_id, position, id, account_id, item_id, change_id, revision, kind, thin, due_at, attempts, last_status, last_error, created_at)
SELECT d.hook_id, d.position, d.id, d.account_id, d.item_id, d.change_id, c.revision, c.kind, false, d.due_at, d.attempts, d.last_status, d.last_error,
    d.created_at
FROM delivery_before d JOIN item_change c ON c.id = d.change_id WHERE d.state = 'pending';
DROP TABLE delivery_before;
CREATE INDEX delivery_due ON delivery (hook_id, due_at, position) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_line ON delivery (hook_id, item_id, position);

-- What was done, a row for each attempt. It is kept for as long as the change that was sent, and dropped with it by the partition.
CREATE TABLE delivery_attempt (
    position    bigint NOT NULL,                     -- of the change
    hook_id     uuid NOT NULL,
    number      integer NOT NULL,                    -- of the delivery's attempts: 1, 2, 3 …
    delivery_id uuid NOT NULL,
    account_id  uuid NOT NULL,
    item_id     uuid NOT NULL,
    change_id   bigint NOT NULL,
    revision    bigint NOT NULL,
    kind        text NOT NULL,
    trigger     text NOT NULL,
    created_at  timestamptz NOT NULL,                -- of the delivery
    at          timestamptz NOT NULL,                -- when it was sent
    took        integer,                             -- microseconds; null: it was given up without being sent
    outcome     text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'retry')),
    closes      boolean NOT NULL,                    -- the delivery was done with by this; false once it is asked for again
    status      integer,                             -- HTTP; null: no answer
    response    text,                                -- how it began, up to 4 KiB
    fault       text,                                -- the class of failure
    error       text,                                -- and what it was, in words
    PRIMARY KEY (hook_id, position, number)
) PARTITION BY RANGE (position);
CREATE INDEX delivery_attempt_failed ON delivery_attempt (hook_id, position) WHERE closes AND outcome = 'failed';

-- Changes of the past that are sent to a hook again, or for the first time: one replay at a time, and the last one stays to be seen.
CREATE TABLE hook_replay (
    hook_id       uuid PRIMARY KEY REFERENCES hook ON DELETE CASCADE,
    account_id    uuid NOT NULL,
    id            uuid NOT NULL,
    position      bigint NOT NULL,                   -- looked at up to here
    from_position bigint NOT NULL,
    to_position   bigint NOT NULL,
    since         timestamptz,                       -- changes of before are passed over; null: none is
    rate          integer NOT NULL CHECK (rate > 0), -- changes a second
    deliveries    bigint NOT NULL DEFAULT 0,         -- made so far
    due_at        timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,                       -- null while it is under way
    error         text                               -- why it ended before its end
);
CREATE INDEX hook_replay_due ON hook_replay (due_at) WHERE ended_at IS NULL;

-- The numbers of the nodes that are alive: each holds an advisory lock of its own for as long as its connection lasts (HoldPresence).
-- +goose StatementBegin
CREATE FUNCTION hook_nodes_alive() RETURNS TABLE (node integer) LANGUAGE sql STABLE AS $$
    SELECT l.objid::bigint::integer FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.classid::bigint = (hashtext('itemcast hook node')::bigint & 4294967295)
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
$$;

CREATE OR REPLACE FUNCTION item_change_extend(ahead bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    placed bigint := (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('itemcast item_change_extend'));
    RETURN log_extend('item_change', (SELECT last_value FROM item_change_id), ahead)
        + log_extend('item_position', placed, ahead) + log_extend('delivery_attempt', placed, ahead);
END
$$;

-- Changes that were there before can be asked for again.
DO $$
BEGIN
    PERFORM log_extend('delivery_attempt', (SELECT f.floor FROM feed f), (SELECT h.position - f.floor + 500000 FROM feed f, feed_head h ORDER BY h.step DESC LIMIT 1));
END
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION item_change_extend(ahead bigint) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('itemcast item_change_extend'));
    RETURN log_extend('item_change', (SELECT last_value FROM item_change_id), ahead)
        + log_extend('item_position', (SELECT h.position FROM feed_head h ORDER BY h.step DESC LIMIT 1), ahead);
END
$$;
-- +goose StatementEnd
DROP TABLE hook_replay, delivery_attempt, delivery;
DROP FUNCTION hook_nodes_alive;
CREATE TABLE delivery (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL,
    hook_id     uuid NOT NULL REFERENCES hook ON DELETE CASCADE,
    item_id     uuid NOT NULL,
    change_id   bigint NOT NULL,
    position    bigint NOT NULL,
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'failed')),
    due_at      timestamptz,
    claim       uuid,
    attempts    integer NOT NULL DEFAULT 0,
    last_status integer,
    last_error  text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (hook_id, change_id)
) WITH (fillfactor = 90);
CREATE INDEX delivery_due ON delivery (hook_id, due_at) WHERE state = 'pending' AND due_at IS NOT NULL;
CREATE INDEX delivery_line ON delivery (hook_id, item_id, position) WHERE state = 'pending';
ALTER TABLE hook DROP COLUMN filter, DROP COLUMN changed_fields, DROP COLUMN headers, DROP COLUMN body, DROP COLUMN rate_limit,
    DROP COLUMN max_in_flight, DROP COLUMN paced_to, DROP COLUMN old_secret, DROP COLUMN old_secret_until, DROP COLUMN failing_since,
    DROP COLUMN deleted_at;
