-- +goose Up
-- With an access token, a program or a page acts for a user, within narrower limits. Only the client has the secret.
-- Revoking a token deletes its row; the audit log remembers it.
CREATE TABLE access_token (
    id                  uuid PRIMARY KEY,
    account_id          uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id             uuid NOT NULL REFERENCES app_user ON DELETE CASCADE, -- for whom it acts
    name                text NOT NULL,
    permissions         text[] NOT NULL,             -- those of them that the user also has take effect
    filter              jsonb,                       -- of the items that it shows, as a hook's; null: every item
    origins             text[] NOT NULL DEFAULT '{}', -- of the pages that may use it; empty: no page of another origin
    requests_per_minute integer NOT NULL DEFAULT 600 CHECK (requests_per_minute > 0),
    digest              bytea NOT NULL UNIQUE,       -- SHA-256 of the secret
    previous_digest     bytea UNIQUE,                -- of the secret before the last rotation,
    previous_until      timestamptz,                 -- which works until then
    expires_at          timestamptz,                 -- null: never
    created_by          uuid,                        -- null: the operator
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    revision            bigint NOT NULL DEFAULT 1    -- of the settings and the secret; use does not raise it
);
CREATE INDEX access_token_by_account ON access_token (account_id, id);
CREATE INDEX access_token_by_user ON access_token (user_id, id);

-- How often a token was used in each hour. It has no foreign key, because counting must neither lock nor wait for the
-- token's row. The rows of the last day show the rate; the newest row shows the last use.
CREATE TABLE access_token_use (
    token_id   uuid NOT NULL,
    account_id uuid NOT NULL,
    hour       timestamptz NOT NULL,                 -- its beginning
    requests   bigint NOT NULL,
    address    text NOT NULL,                        -- of the client, at the last request
    PRIMARY KEY (token_id, hour)
);

-- One more payload on the channel itemcast_access (00100_account.sql):
--
--   'token ID'    drop everything about this access token; its origins may be new
-- +goose StatementBegin
CREATE FUNCTION notify_token_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('itemcast_access', 'token ' || coalesce(NEW.id, OLD.id));
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER access_token_changed AFTER INSERT OR UPDATE OR DELETE ON access_token
    FOR EACH ROW EXECUTE FUNCTION notify_token_changed();

COMMENT ON COLUMN app_user.password_hash IS
    'empty: a person who has not set a password yet, or an API user who has only access tokens';
