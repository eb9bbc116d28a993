-- +goose Up
CREATE TABLE workflow_profile (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    role_ids    uuid[] NOT NULL DEFAULT '{}',        -- the roles that see its items; empty: all roles
    revision    bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, name)
);
CREATE INDEX workflow_profile_by_account ON workflow_profile (account_id, id);

-- A change of a profile may hide items from readers, or show them. Nodes are notified, so that they drop what they have
-- rendered for readers.
-- +goose StatementBegin
CREATE FUNCTION notify_workflow_profile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_workflow_profile', '');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER workflow_profile_changed AFTER UPDATE OR DELETE ON workflow_profile
    FOR EACH STATEMENT EXECUTE FUNCTION notify_workflow_profile();

-- hidden_profiles returns the workflow profiles whose items a role must not see. Every statement that reads items and
-- the filter of live events use this one definition. Nothing is hidden from the null role, the operator. Call it in a
-- sub-select: Postgres then evaluates it once, and only when it meets an item that has a profile.
CREATE FUNCTION hidden_profiles(account uuid, role uuid) RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ARRAY(SELECT p.id FROM workflow_profile p
        WHERE p.account_id = account AND p.role_ids <> '{}' AND NOT (role = ANY (p.role_ids)));
