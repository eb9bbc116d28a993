-- +goose Up
-- A person signs in on the pages too; an API user has a password that Itemcast made, and signs in by HTTP Basic only. The password_hash of a
-- person who has not set a password yet is empty.
ALTER TABLE app_user
    ADD COLUMN kind     text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'api')),
    ADD COLUMN revision bigint NOT NULL DEFAULT 1;
CREATE INDEX app_user_by_account ON app_user (account_id, id);
CREATE INDEX app_user_by_role ON app_user (role_id);
ALTER TABLE role ADD COLUMN revision bigint NOT NULL DEFAULT 1;
CREATE INDEX role_by_account ON role (account_id, id);

-- The payload says what has to be forgotten: '' all that is known of users, 'session' what is known of sessions, 'profile' what was
-- rendered of items.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION notify_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', coalesce(TG_ARGV[0], ''));
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- A browser that is signed in. The token itself is in its cookie and nowhere else.
CREATE TABLE session (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,                -- SHA-256
    address    text NOT NULL,                        -- that signed in
    user_agent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),   -- to the minutes
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE TRIGGER session_ended AFTER DELETE ON session FOR EACH STATEMENT EXECUTE FUNCTION notify_access('session');

-- A link by which a user sets a password, once.
CREATE TABLE reset_link (
    token_hash bytea PRIMARY KEY,                    -- SHA-256
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id    uuid NOT NULL UNIQUE REFERENCES app_user ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);

-- Who did what to whose access. Subjects are paths of the API, such as users/ID; they outlive what they name.
CREATE TABLE audit (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    actor      uuid,                                 -- the user; null: nobody who was signed in, or the operator
    actor_name text NOT NULL,
    address    text NOT NULL,                        -- of the client; empty: the machine itself
    action     text NOT NULL,                        -- such as user.updated
    subject    text NOT NULL,
    detail     jsonb NOT NULL
);
CREATE INDEX audit_by_account ON audit (account_id, id);

-- +goose Down
DROP TABLE audit, reset_link, session;
DROP INDEX app_user_by_account, app_user_by_role, role_by_account;
ALTER TABLE role DROP COLUMN revision;
ALTER TABLE app_user DROP COLUMN kind, DROP COLUMN revision;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION notify_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', '');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
