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
    UNIQUE (account_id, name)
);

-- A person or an API user. The e-mail address is unique over all accounts, because a sign-in names nothing else.
CREATE TABLE app_user (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    role_id       uuid NOT NULL REFERENCES role,
    email         text NOT NULL,
    name          text NOT NULL DEFAULT '',
    password_hash text NOT NULL,
    active        boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX app_user_email ON app_user (lower(email));

-- Whoever remembers a verified password forgets it when a user or a role changes, on every node.
-- These are rare writes, so the lock that NOTIFY takes at commit is of no account here (design §4.1, 6 is about item writers).
-- +goose StatementBegin
CREATE FUNCTION notify_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', '');
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER app_user_changed AFTER UPDATE OR DELETE ON app_user FOR EACH STATEMENT EXECUTE FUNCTION notify_access();
CREATE TRIGGER role_changed AFTER UPDATE OR DELETE ON role FOR EACH STATEMENT EXECUTE FUNCTION notify_access();

CREATE TABLE idempotency_key (
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,             -- SHA-256 of method, path, query and body
    status      integer NOT NULL DEFAULT 0, -- 0 only inside the transaction that claims the key
    header      jsonb NOT NULL DEFAULT '{}',
    body        bytea NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);

-- +goose Down
DROP TABLE idempotency_key, app_user, role, account;
DROP FUNCTION notify_access;
