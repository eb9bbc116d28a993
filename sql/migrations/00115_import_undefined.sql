-- +goose Up
-- An import that began before takes it that its definitions were accepted.
ALTER TABLE item_import ADD COLUMN undefined boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN item_import.undefined IS 'a definition of a metadata field was rejected, so metadata must be checked';
