-- +goose Up
-- An account's settings are a resource, with a revision. A new item that names no workflow profile gets the default of
-- its creator, else that of the account. Existing accounts and users have no default, so nothing changes for them.
ALTER TABLE account
    ADD COLUMN default_workflow_profile_id uuid CONSTRAINT account_default_workflow_profile REFERENCES workflow_profile,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN revision bigint NOT NULL DEFAULT 1;
UPDATE account SET updated_at = created_at;

ALTER TABLE app_user
    ADD COLUMN default_workflow_profile_id uuid CONSTRAINT app_user_default_workflow_profile REFERENCES workflow_profile;

-- Cached users hold both defaults. One more reason for the payload '' on the channel itemcast_access
-- (00100_account.sql): drop everything about users, because the account's default has changed.
CREATE TRIGGER account_default_changed AFTER UPDATE ON account
    FOR EACH ROW WHEN (OLD.default_workflow_profile_id IS DISTINCT FROM NEW.default_workflow_profile_id)
    EXECUTE FUNCTION notify_access();
