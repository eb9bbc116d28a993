-- Uploads: internal/upload/doc.go says how their state moves. No earlier version has uploads.

-- +goose Up
CREATE TABLE upload (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    profile_id    uuid,                             -- of the ticket, and of the items; may have been deleted
    user_id       uuid,                             -- null: a ticket's upload
    nonce         text,                             -- of the ticket
    way           text NOT NULL CHECK (way IN ('form', 'tus')),
    state         text NOT NULL CHECK (state IN ('receiving', 'done', 'ended')),
    size_expected bigint,                           -- bytes that the client has announced; null: none
    reserved      bigint NOT NULL,                  -- bytes of the profile's quota
    bytes         bigint NOT NULL DEFAULT 0,        -- received
    asset_ids     uuid[] NOT NULL DEFAULT '{}',     -- staged files, to be discarded after the state 'ended'
    item_ids      uuid[] NOT NULL DEFAULT '{}',     -- made by the upload
    node          uuid NOT NULL,                    -- that receives it
    started_at    timestamptz NOT NULL DEFAULT now(),
    seen_at       timestamptz NOT NULL DEFAULT now(), -- when its node was last alive
    ended_at      timestamptz
);

-- The reservation of a ticket's nonce.
CREATE UNIQUE INDEX upload_nonce ON upload (profile_id, nonce) WHERE nonce IS NOT NULL AND state <> 'ended';
CREATE INDEX upload_under_way ON upload (account_id, id) WHERE state = 'receiving';
CREATE INDEX upload_receiving ON upload (profile_id) WHERE state = 'receiving';
CREATE INDEX upload_ended ON upload (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX upload_left ON upload (ended_at) WHERE state = 'ended' AND asset_ids <> '{}';
