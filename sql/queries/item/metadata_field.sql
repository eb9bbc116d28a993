-- name: ListMetadataFields :many
SELECT id, account_id, key, label, description, kind, choices, required, created_at, updated_at, revision
FROM metadata_field WHERE account_id = @account_id ORDER BY key;

-- name: GetMetadataField :one
SELECT id, account_id, key, label, description, kind, choices, required, created_at, updated_at, revision
FROM metadata_field WHERE account_id = @account_id AND id = @id;

-- name: LockMetadataField :one
SELECT id, account_id, key, label, description, kind, choices, required, created_at, updated_at, revision
FROM metadata_field WHERE account_id = @account_id AND id = @id FOR UPDATE;

-- name: InsertMetadataField :one
INSERT INTO metadata_field (id, account_id, key, label, description, kind, choices, required)
VALUES (@id, @account_id, @key, @label, @description, @kind, @choices, @required)
ON CONFLICT (account_id, key) DO NOTHING
RETURNING id, account_id, key, label, description, kind, choices, required, created_at, updated_at, revision;

-- name: UpdateMetadataField :one
UPDATE metadata_field SET label = @label, description = @description, choices = @choices, required = @required,
    updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND id = @id
RETURNING id, account_id, key, label, description, kind, choices, required, created_at, updated_at, revision;

-- DateFieldToText makes a text field of a date field. Every date is a text, so the items' values stay valid.
-- name: DateFieldToText :exec
UPDATE metadata_field SET kind = 'text', updated_at = now(), revision = revision + 1
WHERE account_id = @account_id AND key = @key AND kind = 'date';

-- name: DeleteMetadataField :exec
DELETE FROM metadata_field WHERE account_id = @account_id AND id = @id;
