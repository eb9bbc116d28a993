-- +goose Up
-- The sweep of late runs looks for answered tasks every few seconds. It must not read the runs that wait for people.
CREATE INDEX workflow_run_awaiting ON workflow_run (id) WHERE finished_at IS NULL AND waiting_tasks <> '{}';
