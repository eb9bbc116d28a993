-- +goose Up
-- Itemcast holds the file of an asset or a snapshot whose url is a path, /media/ID/NAME with its own id. Every earlier
-- row has an absolute URL, so it stays external, and no stored document changes.
ALTER TABLE asset DROP CONSTRAINT asset_kind_check;
ALTER TABLE asset ADD CONSTRAINT asset_kind_check
    CHECK (kind IN ('source', 'rendition', 'audio', 'subtitle', 'playlist', 'storyboard'));

-- The values that processing has set in fields that clients set too. A field with another value is the client's.
ALTER TABLE item ADD COLUMN media_fields jsonb;                  -- null: processing has set none
