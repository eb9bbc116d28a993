-- name: StartImport :one
INSERT INTO item_import (account_id, key, line, created, updated, unchanged, rejected)
VALUES (@account_id, @key, 0, 0, 0, 0, 0)
ON CONFLICT (account_id, key) DO UPDATE SET updated_at = now()
RETURNING line, created, updated, unchanged, rejected, digest, fields, undefined;

-- name: ResetImport :exec
UPDATE item_import SET line = 0, created = 0, updated = 0, unchanged = 0, rejected = 0, digest = NULL, fields = '[]',
    undefined = false, updated_at = now()
WHERE account_id = @account_id AND key = @key;

-- name: LockImport :one
SELECT line FROM item_import WHERE account_id = @account_id AND key = @key FOR UPDATE;

-- name: AdvanceImport :exec
UPDATE item_import SET line = @line, created = @created, updated = @updated, unchanged = @unchanged,
    rejected = @rejected, digest = @digest, fields = @fields, undefined = @undefined,
    updated_at = now()
WHERE account_id = @account_id AND key = @key;

-- LockImportsShared allows batches of imports to run side by side. LockImportsExclusive waits for them, and makes
-- others wait.
-- name: LockImportsShared :exec
SELECT pg_advisory_xact_lock_shared(hashtext('itemcast imports ' || CAST(@account_id AS uuid)));

-- name: LockImportsExclusive :exec
SELECT pg_advisory_xact_lock(hashtext('itemcast imports ' || CAST(@account_id AS uuid)));
