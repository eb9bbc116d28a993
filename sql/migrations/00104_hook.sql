-- +goose Up
CREATE TABLE hook (
    id               uuid PRIMARY KEY,
    account_id       uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    url              text NOT NULL,
    description      text NOT NULL,
    events           text[] NOT NULL,
    active           boolean NOT NULL,
    disabled_reason  text,                            -- why Itemcast disabled it; null: it did not
    secret           text NOT NULL,                   -- whsec_…
    after_position   bigint NOT NULL,                 -- the hook receives the changes after this position,
    after_changes    bigint[] NOT NULL,               -- except these, which were committed before the hook was created
                                                      -- and had no position yet
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    revision         bigint NOT NULL DEFAULT 1,      -- of the settings and the secret; health does not raise it
    -- Shown to the owner. Each of these three changes at most once a second, unless the hook starts to fail or to work.
    last_success_at  timestamptz,
    last_failure_at  timestamptz,
    last_error       text,                            -- of the last failure
    filter           jsonb,                           -- the filter of item lists; null: every item
    changed_fields   text[],                          -- send an update only if it changed one of them; null: any update
    headers          jsonb NOT NULL DEFAULT '{}',     -- request headers set by the owner; never shown again
    body             text NOT NULL DEFAULT 'full' CHECK (body IN ('full', 'thin')),
    rate_limit       integer CHECK (rate_limit > 0),  -- requests per second, all nodes together; null: no limit
    max_in_flight    integer CHECK (max_in_flight > 0), -- concurrent requests, all nodes together; null: the
                                                      -- limit of each node
    paced_to         timestamptz,                     -- the requests sent so far use up rate_limit until then
    old_secret       text,                            -- also signs, until old_secret_until
    old_secret_until timestamptz,
    failing_since    timestamptz,                     -- the first failure after the last success; null: it works
    deleted_at       timestamptz                      -- the row is removed once none of its deliveries is pending
);
CREATE INDEX hook_by_account ON hook (account_id, id);

-- The queue: pending deliveries only, one row for each change and hook that receives it. A finished delivery moves to
-- delivery_attempt, under the lock of LockLines. internal/hook/doc.go has the states. The document stays in the log.
CREATE TABLE delivery (
    hook_id      uuid NOT NULL,
    position     bigint NOT NULL,                    -- of the change
    id           uuid NOT NULL,                      -- also the webhook-id; derived from the change and the hook,
                                                     -- so that a change sent twice has the same id
    account_id   uuid NOT NULL,
    item_id      uuid NOT NULL,
    change_id    bigint NOT NULL,
    revision     bigint NOT NULL,
    kind         text NOT NULL,
    trigger      text,                               -- the reason for sending, when it is not the change's own trigger
    thin         boolean NOT NULL,                   -- the hook's body setting when the delivery was created: a retry
                                                     -- sends the same bytes
    due_at       timestamptz,                        -- null while parked behind an earlier delivery of the same
                                                     -- hook and item
    claim        uuid,                               -- the claim under which it is sent; a result under any
                                                     -- other claim is ignored
    claimed_to   timestamptz,                        -- when the claim expires
    node         integer,                            -- the node that holds the claim (presence.go)
    attempts     integer NOT NULL DEFAULT 0,
    round        integer NOT NULL DEFAULT 0,         -- attempts before the last redelivery by hand, which restarts the
                                                     -- retry schedule
    last_attempt timestamptz,
    last_status  integer,                            -- HTTP; null when there was no response
    last_fault   text,
    last_error   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hook_id, position)
) WITH (fillfactor = 60); -- a claim changes no indexed column, and its new row version fits in the page (HOT update)
CREATE INDEX delivery_due ON delivery (hook_id, due_at, position) WHERE due_at IS NOT NULL;
CREATE INDEX delivery_group ON delivery (hook_id, item_id, position);

-- The history: one row for each attempt. It is kept as long as the change that was sent, and dropped with the same
-- partition.
CREATE TABLE delivery_attempt (
    position    bigint NOT NULL,                     -- of the change
    hook_id     uuid NOT NULL,
    number      integer NOT NULL,                    -- of the attempt within its delivery: 1, 2, 3 …
    delivery_id uuid NOT NULL,
    account_id  uuid NOT NULL,
    item_id     uuid NOT NULL,
    change_id   bigint NOT NULL,
    revision    bigint NOT NULL,
    kind        text NOT NULL,
    trigger     text NOT NULL,
    created_at  timestamptz NOT NULL,                -- of the delivery
    at          timestamptz NOT NULL,                -- when the request was sent
    took        integer,                             -- microseconds; null: abandoned without sending
    outcome     text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'retry')),
    closes      boolean NOT NULL,                    -- the attempt finished the delivery; false once it is redelivered
    status      integer,                             -- HTTP; null: no response
    response    text,                                -- the first 4 KiB of the response
    fault       text,                                -- the class of failure
    error       text,                                -- the failure in words
    PRIMARY KEY (hook_id, position, number)
) PARTITION BY RANGE (position);
CREATE INDEX delivery_attempt_failed ON delivery_attempt (hook_id, position) WHERE closes AND outcome = 'failed';

-- A replay sends past changes to a hook. A hook has at most one row: the running replay, or the last one.
CREATE TABLE hook_replay (
    hook_id       uuid PRIMARY KEY REFERENCES hook ON DELETE CASCADE,
    account_id    uuid NOT NULL,
    id            uuid NOT NULL,
    position      bigint NOT NULL,                   -- the last position that was processed
    from_position bigint NOT NULL,
    to_position   bigint NOT NULL,
    since         timestamptz,                       -- skip earlier changes; null: skip none
    rate          integer NOT NULL CHECK (rate > 0), -- changes per second
    deliveries    bigint NOT NULL DEFAULT 0,         -- created so far
    due_at        timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz,                       -- null while it runs
    error         text                               -- why it stopped early
);
CREATE INDEX hook_replay_due ON hook_replay (due_at) WHERE ended_at IS NULL;

-- hook_nodes_alive lists the numbers of the nodes that are alive. Each node holds an advisory lock of its own while its
-- connection lasts (HoldPresence).
-- +goose StatementBegin
CREATE FUNCTION hook_nodes_alive() RETURNS TABLE (node integer) LANGUAGE sql STABLE AS $$
    SELECT l.objid::bigint::integer FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
        AND l.classid::bigint = (hashtext('itemcast hook node')::bigint & 4294967295)
        AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
$$;
-- +goose StatementEnd

-- The first partitions of item_change, item_position and delivery_attempt; all three tables exist now.
SELECT item_change_extend(500000);
