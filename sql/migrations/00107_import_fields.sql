-- +goose Up
-- Imports that began before have created fields of unknown names: their summary lists those that they create from now on.
ALTER TABLE item_import ADD COLUMN fields jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN item_import.fields IS 'the metadata fields that the import has created';
