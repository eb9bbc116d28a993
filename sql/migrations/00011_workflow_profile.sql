-- +goose Up
CREATE TABLE workflow_profile (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    role_ids    uuid[] NOT NULL DEFAULT '{}',        -- empty: its items are for every role
    revision    bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, name)
);
CREATE INDEX workflow_profile_by_account ON workflow_profile (account_id, id);
CREATE TRIGGER workflow_profile_changed AFTER UPDATE OR DELETE ON workflow_profile FOR EACH STATEMENT EXECUTE FUNCTION notify_access('profile');

ALTER TABLE item ADD CONSTRAINT item_workflow_profile FOREIGN KEY (workflow_profile_id) REFERENCES workflow_profile;
CREATE INDEX item_by_workflow_profile ON item (workflow_profile_id) WHERE workflow_profile_id IS NOT NULL;

-- hidden_profiles are the workflow profiles whose items do not exist for a role: the one definition, for every statement that reads items and
-- for the live filter alike. Nothing is hidden from the null role, which is the operator's. A statement calls it in a sub-select, which Postgres
-- evaluates once, and only when it meets an item that has a profile.
CREATE FUNCTION hidden_profiles(account uuid, role uuid) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ARRAY(SELECT p.id FROM workflow_profile p
        WHERE p.account_id = account AND p.role_ids <> '{}' AND NOT (role = ANY (p.role_ids)));

-- +goose Down
DROP FUNCTION hidden_profiles;
ALTER TABLE item DROP CONSTRAINT item_workflow_profile;
DROP INDEX item_by_workflow_profile;
DROP TABLE workflow_profile;
