-- +goose Up
-- The id of a deleted item stays with its account: whoever uses an id asks whether another account has had it.
CREATE INDEX item_tombstone_item ON item_tombstone (item_id);
