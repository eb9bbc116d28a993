-- +goose Up
-- Cursors hide the positions in them, which count the changes of all accounts: an access token that shows few items would
-- otherwise show how much happens beside them. Cursors from before this migration are refused as malformed.
ALTER TABLE feed ADD COLUMN secret bytea NOT NULL DEFAULT uuid_send(gen_random_uuid());
COMMENT ON COLUMN feed.secret IS 'the key with which cursors hide positions (AES-128)';
