-- +goose Up
-- SHA-256 of the lines that an import is done with, so that a key that comes with other lines is refused and skips none of them.
ALTER TABLE item_import ADD COLUMN digest bytea; -- null: none are done, or they were before digests were kept

-- +goose Down
ALTER TABLE item_import DROP COLUMN digest;
