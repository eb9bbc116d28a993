-- +goose Up
-- The tasks of workflows are TRIGGERED changes in the log, and go through the queue of hooks. Existing changes are no
-- tasks, and existing hooks are their users' own, which is what null means in both columns.
ALTER TABLE item_change ADD COLUMN task jsonb;       -- of a TRIGGERED change of a workflow: run_id, profile_id, task, at,
                                                     -- action; null: of any other change

-- A hidden hook sends a workflow profile's tasks to one URL. Users do not see it. Its headers are an object by task key:
-- {"KEY": {"NAME": "VALUE"}}. Its events are empty: it receives only the changes that name it as their target. Its
-- secrets are the profile's.
ALTER TABLE hook ADD COLUMN workflow_profile_id uuid, -- of a hidden hook; null: of a user's
    ADD COLUMN last_change bigint;                    -- of a hidden hook whose profile was deleted: it receives no change
                                                      -- above this id, and its row is removed once those are sent
CREATE UNIQUE INDEX hook_by_workflow_profile ON hook (workflow_profile_id, url) WHERE workflow_profile_id IS NOT NULL;
CREATE INDEX hook_of_deleted_profile ON hook (id) WHERE last_change IS NOT NULL AND deleted_at IS NULL;

-- What examines the users' hooks of an account must not read the hidden ones.
CREATE INDEX hook_of_user ON hook (account_id, id) WHERE workflow_profile_id IS NULL;
