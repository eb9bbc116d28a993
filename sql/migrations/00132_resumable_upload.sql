-- Resumable uploads: internal/upload/doc.go says how their state moves. Earlier rows are uploads by a form, for which
-- the defaults are right.

-- +goose Up
ALTER TABLE upload
    ADD COLUMN key_hash      bytea,                      -- SHA-256 of the key in the URL of a resumable upload
    ADD COLUMN ticket        text,                       -- its info; null: a user's upload
    ADD COLUMN token_digest  bytea,                      -- of the secret of the access token that began it; null: none
    ADD COLUMN metadata      jsonb,                      -- an object of text
    ADD COLUMN partial       boolean NOT NULL DEFAULT false, -- a part of a concatenation
    ADD COLUMN joined        boolean NOT NULL DEFAULT false, -- it has the bytes of such parts
    ADD COLUMN final_id      uuid,                       -- of a part: the upload that has taken its bytes
    ADD COLUMN segments      text[] NOT NULL DEFAULT '{}',   -- keys of the storage, in order
    ADD COLUMN sizes         bigint[] NOT NULL DEFAULT '{}', -- bytes of each segment that count
    ADD COLUMN open_segments text[] NOT NULL DEFAULT '{}',   -- keys that may have bytes which do not count
    ADD COLUMN hash          bytea,                      -- state of the SHA-256 of all bytes; null: unknown, or no bytes
    ADD COLUMN torn          boolean NOT NULL DEFAULT false, -- a dead node may still write into the last segment
    ADD COLUMN writer        uuid,                       -- the request that holds the upload; null: none
    ADD COLUMN wanted        boolean NOT NULL DEFAULT false, -- another request waits for it
    ADD COLUMN expires_at    timestamptz,                -- when it ends unless more comes
    ADD COLUMN refusal       text;                       -- why it has ended, for its client; null: no reason of its own

-- The parts of a concatenation come with one ticket.
DROP INDEX upload_nonce;
CREATE UNIQUE INDEX upload_nonce ON upload (profile_id, nonce) WHERE nonce IS NOT NULL AND state <> 'ended' AND NOT partial;
CREATE INDEX upload_part ON upload (profile_id, nonce) WHERE partial AND state = 'receiving';

CREATE UNIQUE INDEX upload_key ON upload (key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX upload_writer ON upload (writer) WHERE writer IS NOT NULL;
CREATE INDEX upload_expires ON upload (expires_at) WHERE state = 'receiving' AND expires_at IS NOT NULL;
CREATE INDEX upload_segments ON upload (ended_at) WHERE state <> 'receiving' AND (segments <> '{}' OR open_segments <> '{}');
