-- The runs of workflows: internal/workflow/machine/doc.go says how their state moves. An item's runs and their history
-- are removed with the item. Existing items have none: their profiles have neither actions nor tasks.

-- +goose Up
CREATE TABLE workflow_run (
    id               uuid PRIMARY KEY,
    account_id       uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    item_id          uuid NOT NULL REFERENCES item ON DELETE CASCADE,
    profile_id       uuid NOT NULL,                  -- may have been deleted; its versions remain
    profile_version  integer NOT NULL,
    status           text NOT NULL
        CHECK (status IN ('pending', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
    current_action   text,
    state            jsonb NOT NULL,                 -- machine.State
    error            text,                           -- why it has failed
    waiting_roles    uuid[],                         -- the roles that may act; empty: every one; null: it waits for no
                                                     -- person
    waiting_tasks    text[] NOT NULL DEFAULT '{}',   -- the tasks whose answers it waits for
    started_by       uuid,                           -- the user; null: the system
    started_at       timestamptz NOT NULL,
    moved_at         timestamptz NOT NULL,
    finished_at      timestamptz,
    wake_at          timestamptz,                    -- when it should move by itself; null: it waits for others
    nudged_at        timestamptz,                    -- when the sweep last queued it
    attempts         smallint NOT NULL DEFAULT 0,    -- failed attempts to take the next step
    process_action   text,                           -- the action that the processor has, or should have
    process_attempt  smallint NOT NULL DEFAULT 0,    -- how often the processor has begun
    process_owner    uuid,                           -- who runs the processor; null: nobody
    process_progress smallint NOT NULL DEFAULT 0     -- percent
) WITH (fillfactor = 70);
CREATE INDEX workflow_run_by_account ON workflow_run (account_id, id);
CREATE INDEX workflow_run_unfinished ON workflow_run (account_id, status, id) WHERE finished_at IS NULL;
CREATE INDEX workflow_run_by_item ON workflow_run (item_id, id);
CREATE UNIQUE INDEX workflow_run_of_item ON workflow_run (item_id) WHERE finished_at IS NULL;
CREATE INDEX workflow_run_by_profile ON workflow_run (profile_id) WHERE finished_at IS NULL;
CREATE INDEX workflow_run_to_wake ON workflow_run (wake_at) WHERE wake_at IS NOT NULL;

-- The history, and the answers of tasks. It has no foreign keys: inserting the end of a delivery must not wait for a
-- transaction that deletes the item.
CREATE TABLE workflow_event (
    id          uuid PRIMARY KEY,                    -- version 7; orders the history of an item
    account_id  uuid NOT NULL,
    item_id     uuid NOT NULL,
    run_id      uuid NOT NULL,
    at          timestamptz NOT NULL,
    event       text NOT NULL,
    action      text,
    task        text,
    user_id     uuid,                                -- null: the system
    comment     text,
    error       text,
    took        double precision,                    -- seconds
    delivery_id uuid,                                -- webhook-id
    outcome     text                                 -- of task_succeeded and task_failed: ok, fail or skip
);
CREATE INDEX workflow_event_by_item ON workflow_event (item_id, id);

-- +goose StatementBegin
CREATE FUNCTION delete_workflow_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM workflow_event WHERE item_id = OLD.item_id AND run_id = OLD.id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER workflow_run_deleted AFTER DELETE ON workflow_run
    FOR EACH ROW EXECUTE FUNCTION delete_workflow_events();
