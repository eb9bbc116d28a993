-- +goose Up
ALTER TABLE workflow_profile
    ADD COLUMN version          integer NOT NULL DEFAULT 1,    -- raised when actions or tasks change
    ADD COLUMN actions          jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN tasks            jsonb NOT NULL DEFAULT '[]',   -- with the values of their headers, which are never shown
    ADD COLUMN secret           text,                          -- whsec_…, signs the tasks; null: there was no task yet
    ADD COLUMN old_secret       text,                          -- also signs, until old_secret_until
    ADD COLUMN old_secret_until timestamptz;

-- Every version of a profile. A run keeps the version with which it began, and its history shows it: a version outlives
-- its profile. The values of headers are masked. What a task sends is in the settings of its hook.
CREATE TABLE workflow_profile_version (
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    profile_id uuid NOT NULL,
    version    integer NOT NULL,
    actions    jsonb NOT NULL,
    tasks      jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (profile_id, version)
);

-- Profiles from before have neither actions nor tasks.
INSERT INTO workflow_profile_version (account_id, profile_id, version, actions, tasks, created_at)
SELECT account_id, id, version, actions, tasks, created_at FROM workflow_profile;
