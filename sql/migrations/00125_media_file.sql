-- +goose Up
-- The files of items that Itemcast stores. A row exists before the first byte is stored, and until the bytes have been
-- deleted, so that the storage never has bytes that no row knows.
CREATE TABLE media_file (
    asset_id     uuid NOT NULL,                 -- of an item's asset or snapshot
    name         text NOT NULL,                 -- in the asset's folder, such as clip.mp4 or 720/seg_1.m4s
    account_id   uuid NOT NULL REFERENCES account,
    item_id      uuid,                          -- null until the file is published; of an item that may be deleted
    key          text NOT NULL UNIQUE,          -- in the storage
    size         bigint CHECK (size >= 0),      -- bytes; null until all are stored
    sha256       bytea,                         -- null until all bytes are stored
    content_type text NOT NULL,
    state        text NOT NULL CHECK (state IN ('staged', 'published', 'dropped')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    changed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (asset_id, name),
    CHECK ((size IS NULL) = (sha256 IS NULL)),
    CHECK (state <> 'published' OR item_id IS NOT NULL AND sha256 IS NOT NULL)
);
CREATE INDEX media_file_by_item ON media_file (item_id) WHERE state = 'published';
CREATE INDEX media_file_unpublished ON media_file (state, changed_at) WHERE state <> 'published';

-- The key that signs the links to private media. One row.
CREATE TABLE media_key (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    secret bytea NOT NULL
);
INSERT INTO media_key (secret) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
