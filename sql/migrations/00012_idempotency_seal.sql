-- What a key's row keeps is sealed by the key itself, which is not kept: an answer may hold a made-up password, a hook's secret or a link
-- that resets a password, and whoever reads the database or its backups reads none of them.

-- +goose Up
DROP TABLE idempotency_key;
CREATE TABLE idempotency_key (
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    key_digest  bytea NOT NULL,            -- derived from the key
    fingerprint bytea NOT NULL,            -- HMAC of method, path, query and body, by a secret derived from the key
    answer      bytea NOT NULL DEFAULT '', -- sealed by a secret derived from the key; empty only inside the transaction that claims the key
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id, key_digest)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);

-- +goose Down
DROP TABLE idempotency_key;
CREATE TABLE idempotency_key (
    account_id  uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    status      integer NOT NULL DEFAULT 0,
    header      jsonb NOT NULL DEFAULT '{}',
    body        bytea NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
