-- +goose Up
-- The responses to requests with an Idempotency-Key. A response may contain a password, a hook's secret or a reset
-- link. So it is encrypted with a secret derived from the key, and the key itself is not stored: the database and its
-- backups reveal none of them.
CREATE TABLE idempotency_key (
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    key_digest  bytea NOT NULL,            -- derived from the key
    fingerprint bytea NOT NULL,            -- HMAC of method, path, query and body, with a secret derived from the key
    response    bytea NOT NULL DEFAULT '', -- encrypted; empty only inside the transaction that claims the key
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id, key_digest)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
