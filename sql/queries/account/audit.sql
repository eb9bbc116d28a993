-- name: InsertAudit :exec
INSERT INTO audit (id, account_id, at, actor, actor_name, address, action, subject, detail)
VALUES (@id, @account_id, clock_timestamp(), @actor, @actor_name, @address, @action, @subject, @detail);

-- InsertAudits writes the entries that sign-ins have queued.
-- name: InsertAudits :copyfrom
INSERT INTO audit (id, account_id, at, actor, actor_name, address, action, subject, detail)
VALUES (@id, @account_id, @at, @actor, @actor_name, @address, @action, @subject, @detail);

-- name: ListAudit :many
SELECT id, at, actor, actor_name, address, action, subject, detail FROM audit
WHERE account_id = @account_id AND (sqlc.narg('before_id')::uuid IS NULL OR id < sqlc.narg('before_id')::uuid)
  AND (sqlc.narg('actor')::uuid IS NULL OR actor = sqlc.narg('actor')::uuid)
  AND (sqlc.narg('actions')::text[] IS NULL OR action = ANY (sqlc.narg('actions')::text[]))
  AND (sqlc.narg('subject')::text IS NULL OR subject = sqlc.narg('subject')::text)
  AND (sqlc.narg('at_after')::timestamptz IS NULL OR at > sqlc.narg('at_after')::timestamptz)
  AND (sqlc.narg('at_before')::timestamptz IS NULL OR at < sqlc.narg('at_before')::timestamptz)
ORDER BY id DESC LIMIT @max_rows;

-- DropOldAudits deletes the entries before an id. Ids begin with their time.
-- name: DropOldAudits :exec
-- system: entries of every account.
DELETE FROM audit WHERE id < @before;
