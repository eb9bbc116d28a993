-- name: WriterItems :many
-- system: the benchmark reads a database of its own, with one account.
SELECT id, account_id, name, revision, updated_at, document FROM item WHERE id <> @held ORDER BY created_at, id;

-- WriterRenameItem is UpdateItem with only the columns that the writer changes. It names no column that the first
-- version lacks, so it also works on the database of an older build.
-- name: WriterRenameItem :exec
UPDATE item SET name = @name, revision = @revision, updated_at = @updated_at, document = @document
WHERE account_id = @account_id AND id = @id;

-- WriterInsertChange follows WriterRenameItem in one transaction, as InsertChange follows UpdateItem. It names no
-- column that the first version lacks.
-- name: WriterInsertChange :exec
INSERT INTO item_change (account_id, item_id, revision, kind, changed_fields, previous, trigger, document, occurred_at)
VALUES (@account_id, @item_id, @revision, 'UPDATED', '{name}', @previous, 'hook', @document, @occurred_at);
