-- name: Storage :one
-- system: the files of all accounts are in one storage.
SELECT id, marked FROM media_storage;

-- LockStorage makes other nodes wait until the storage is marked.
-- name: LockStorage :one
-- system: the files of all accounts are in one storage.
SELECT id, marked FROM media_storage FOR UPDATE;

-- name: MarkStorage :exec
-- system: the files of all accounts are in one storage.
UPDATE media_storage SET id = @id, marked = true;
