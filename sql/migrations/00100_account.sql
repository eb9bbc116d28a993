-- +goose Up
CREATE TABLE account (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE role (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    name        text NOT NULL,
    permissions text[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    revision    bigint NOT NULL DEFAULT 1,
    UNIQUE (account_id, name)
);
CREATE INDEX role_by_account ON role (account_id, id);

-- A person signs in on the pages and by HTTP Basic. An API user has a password that Itemcast generated, and uses HTTP
-- Basic only. The e-mail address is unique across accounts, because a sign-in names no account.
CREATE TABLE app_user (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    role_id       uuid NOT NULL REFERENCES role,
    email         text NOT NULL,
    name          text NOT NULL DEFAULT '',
    password_hash text NOT NULL,                     -- empty: a person who has not set a password yet
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    kind          text NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'api')),
    revision      bigint NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX app_user_email ON app_user (lower(email));
CREATE INDEX app_user_by_account ON app_user (account_id, id);
CREATE INDEX app_user_by_role ON app_user (role_id);

-- A signed-in browser. The token itself is only in the browser's cookie.
CREATE TABLE session (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE,                -- SHA-256
    address    text NOT NULL,                        -- the client's address at sign-in
    user_agent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),   -- accurate to minutes
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);

-- A link with which a user sets a password, once. It works only while its creator could still create it.
CREATE TABLE reset_link (
    token_hash bytea PRIMARY KEY,                    -- SHA-256
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id    uuid NOT NULL UNIQUE REFERENCES app_user ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    made_by    uuid REFERENCES app_user ON DELETE CASCADE -- null: the operator
);

-- Every change of access rights. Subjects are API paths such as users/ID; a row outlives its subject.
CREATE TABLE audit (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    actor      uuid,                                 -- the user; null: the operator, or a client that was not signed in
    actor_name text NOT NULL,
    address    text NOT NULL,                        -- the client's address; empty: the command line
    action     text NOT NULL,                        -- such as user.updated
    subject    text NOT NULL,
    detail     jsonb NOT NULL
);
CREATE INDEX audit_by_account ON audit (account_id, id);

-- Nodes cache verified passwords, sessions and permissions. These triggers notify every node of a change, so that it
-- drops the stale entries. Payloads on the channel itemcast_access:
--
--   ''            drop everything about users (a role has changed)
--   'user ID'     drop everything about this user
--   'session ID'  drop the sessions of this user
--
-- NOTIFY takes a global lock at commit. That is acceptable here because these writes are rare; no write of an item may
-- notify.
-- +goose StatementBegin
CREATE FUNCTION notify_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', '');
    RETURN NULL;
END
$$;

CREATE FUNCTION notify_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', 'user ' || OLD.id);
    RETURN NULL;
END
$$;

CREATE FUNCTION notify_session_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', 'session ' || OLD.user_id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER role_changed AFTER UPDATE OR DELETE ON role FOR EACH STATEMENT EXECUTE FUNCTION notify_access();
CREATE TRIGGER app_user_changed AFTER UPDATE OR DELETE ON app_user
    FOR EACH ROW EXECUTE FUNCTION notify_user_changed();
CREATE TRIGGER session_ended AFTER DELETE ON session FOR EACH ROW EXECUTE FUNCTION notify_session_ended();
