-- +goose Up
-- The log holds documents from the time when their items had a profile that has been deleted since. They stay hidden
-- from the roles from which the profile hid them at last.
CREATE TABLE deleted_workflow_profile (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    role_ids   uuid[] NOT NULL CHECK (role_ids <> '{}') -- the roles that see the documents; a profile for all hides none
);
CREATE INDEX deleted_workflow_profile_by_account ON deleted_workflow_profile (account_id);

CREATE OR REPLACE FUNCTION hidden_profiles(account uuid, role uuid) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ARRAY(
        SELECT p.id FROM workflow_profile p
        WHERE p.account_id = account AND p.role_ids <> '{}' AND NOT (role = ANY (p.role_ids))
        UNION ALL
        SELECT p.id FROM deleted_workflow_profile p WHERE p.account_id = account AND NOT (role = ANY (p.role_ids)));
