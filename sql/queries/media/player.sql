-- WatchedItem reads what decides who may watch an item, and which sites may show it in a frame.
-- name: WatchedItem :one
-- system: anybody may watch a public item; the caller checks who may watch a private one.
SELECT i.account_id, i.privacy, a.frame_ancestors FROM item i JOIN account a ON a.id = i.account_id WHERE i.id = @id;
