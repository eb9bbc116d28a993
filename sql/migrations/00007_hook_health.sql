-- +goose Up
-- How a hook fares, as its owner sees it. Each changes at most once a second, unless the hook begins to fail or to work.
ALTER TABLE hook
    ADD COLUMN last_success_at timestamptz,
    ADD COLUMN last_failure_at timestamptz,
    ADD COLUMN last_error      text;                 -- of the last failure

-- +goose Down
ALTER TABLE hook DROP COLUMN last_success_at, DROP COLUMN last_failure_at, DROP COLUMN last_error;
