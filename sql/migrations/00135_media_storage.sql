-- +goose Up
-- The storage of files. Its file itemcast-storage has the same id, so that an empty folder where the storage should be
-- mounted, or another storage, is not taken for it. One row. An installation from before this table writes that file
-- when it starts.
CREATE TABLE media_storage (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id     uuid NOT NULL DEFAULT gen_random_uuid(),
    marked boolean NOT NULL DEFAULT false -- the storage has the file
);
INSERT INTO media_storage DEFAULT VALUES;
