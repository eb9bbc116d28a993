-- +goose Up
-- The sites that may show the account's items in a frame. '*' is every site; the empty list is none but Itemcast.
ALTER TABLE account ADD COLUMN frame_ancestors text[] NOT NULL DEFAULT '{*}';
